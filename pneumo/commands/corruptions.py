"""python -m pneumo corruptions: how the networks do on spoiled films, into their cards."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from pneumo.commands.chosen import chosen_models
from pneumo.evaluation.robustness import CORRUPTIONS, corruption_table
from pneumo.models.networks import network_names
from pneumo.reporting.remember import remember


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-command's arguments."""
    parser.add_argument("data", type=Path, metavar="DIR",
                        help="dataset whose validation films are spoiled: train/NORMAL and so on")
    parser.add_argument("--model", choices=network_names(), help="default: every network there is")
    parser.add_argument("--checkpoints", type=Path, metavar="DIR",
                        help="folder of the networks; default: the bundled one")
    parser.add_argument("--save", action="store_true", help="also write the table into the card")


def run(args: argparse.Namespace) -> int:
    """Measure, print, and save when asked; 0 when done.

    Raises:
        DataError, CheckpointError: each with a sentence.
    """
    for name in chosen_models(args.model, args.checkpoints):
        with tqdm(total=len(CORRUPTIONS), desc=name, delay=2, disable=None) as bar:
            rows = corruption_table(name, args.data, args.checkpoints, bar.update)
        print(f"{name:26}{'AUC':>8}{'sens.':>8}{'spec.':>8}   ({rows[0]['n']} validation films)")
        for row in rows:
            values = "".join(f"{row[key]:8.3f}" for key in ("auc", "sensitivity", "specificity"))
            print(f"{row['corruption']:26}{values}")
        if args.save:
            remember(name, "corruptions", rows, args.checkpoints)
    return 0
