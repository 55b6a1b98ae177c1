"""python -m pneumo decide: calibration, operating points and UNCERTAIN anew, on validation."""

from __future__ import annotations

import argparse
from pathlib import Path

from pneumo.commands.chosen import chosen_models
from pneumo.models.checkpoint import checkpoint_folder
from pneumo.models.networks import network_names
from pneumo.training.renew import renew
from pneumo.training.run import Paths, score_on_test


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-command's arguments."""
    parser.add_argument("--data", type=Path, required=True, metavar="DIR",
                        help="the dataset that the networks were trained on")
    parser.add_argument("--lungs", type=Path, metavar="MASKS",
                        help="drawn lung fields: measure evidence in the lungs as well")
    parser.add_argument("--model", choices=network_names(), help="default: every network")
    parser.add_argument("--checkpoints", type=Path, metavar="DIR", help="default: checkpoints/")
    parser.add_argument("--score-test", type=Path, metavar="DIR",
                        help="then score the new decisions on DIR/test, once")


def run(args: argparse.Namespace) -> int:
    """Judge every network again; 0 when done.

    Raises:
        DataError, CheckpointError: each with a sentence.
    """
    folder = checkpoint_folder(args.checkpoints)
    for name in chosen_models(args.model, folder):
        print(f"{name}: reading the validation films; this takes a minute or more ...", flush=True)
        renewed = renew(name, args.data, folder, args.lungs)
        card = renewed.card
        for point, found in card["operating_points"].items():
            print(f"  {point.replace('_', ' ')}: threshold {found['threshold']:.4f}, sensitivity "
                  f"{found['validation']['sensitivity']['value']:.3f}, specificity "
                  f"{found['validation']['specificity']['value']:.3f}"
                  + "".join(f", {series} {value['value']:.3f}" for series, value
                            in found.get("specificity_by_series", {}).items()))
        band = card["uncertain"]
        print(f"  UNCERTAIN from {band['low']:.4f} to {band['high']:.4f}, "
              f"{band['validation']['uncertain']:.1%} of validation")
        if renewed.gone:
            print(f"  No longer valid, and taken out of the card: {', '.join(renewed.gone)}.")
        if args.score_test:
            score_on_test(name, Paths(args.score_test, None, folder, folder), print)
    return 0
