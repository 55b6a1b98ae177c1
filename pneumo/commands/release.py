"""python -m pneumo release: bundle the seed of a recipe that is best on validation."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pneumo.data.dataset import DataError
from pneumo.models.checkpoint import BUNDLED
from pneumo.models.networks import network_names
from pneumo.training.release import release
from pneumo.training.run import Paths, score_on_test


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-command's arguments."""
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN",
                        help="folder with the checkpoint of one seed (train.py --out)")
    parser.add_argument("--model", required=True, choices=network_names())
    parser.add_argument("--tried", type=Path, metavar="FILE",
                        help="json list of the ideas judged on validation, for the card")
    parser.add_argument("--out", type=Path, default=BUNDLED, metavar="DIR",
                        help="default: checkpoints/")
    parser.add_argument("--score-test", type=Path, metavar="DIR",
                        help="then score the bundled weights on DIR/test, once")


def run(args: argparse.Namespace) -> int:
    """Choose, copy, and score when asked to; 0 when done.

    Raises:
        DataError, CheckpointError: each with a sentence.
    """
    tried = json.loads(args.tried.read_text()) if args.tried else []
    if not isinstance(tried, list) or not all(isinstance(t, dict) and "idea" in t for t in tried):
        raise DataError(f"{args.tried} is no list of ideas, each with a key 'idea'.")
    card = release(args.model, args.runs, args.out, tried)
    for seed in card["seeds"]:
        print(f"seed {seed['seed']}: validation AUC {seed['validation']['auc']:.4f}, degraded "
              f"{seed['validation']['auc_degraded']:.4f}" + (", bundled" * seed["chosen"]))
    if args.score_test:
        score_on_test(args.model, Paths(args.score_test, None, args.out, args.out), print)
    return 0
