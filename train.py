"""Train a network and write its checkpoint: python train.py --model resnet18 --data data.

On several devices or machines: torchrun --nproc-per-node 2 train.py --model resnet18 --data data.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from pneumo.data.dataset import DataError
from pneumo.models.card import BUNDLED, CheckpointError
from pneumo.models.networks import network_names
from pneumo.training.initial import InitialError
from pneumo.training.recipe import RecipeError, load_recipe
from pneumo.training.run import Paths, train
from pneumo.training.state import StateError


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    p.add_argument("--model", required=True, choices=network_names())
    p.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("PNEUMO_DATA", "data")),
        metavar="DIR",
        help="folder with train/NORMAL and train/PNEUMONIA (default: PNEUMO_DATA, else data)",
    )
    p.add_argument(
        "--init",
        metavar="imagenet|scratch|PATH",
        help="starting weights (default: the bundled ones, else scratch)",
    )
    p.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="changes",
        help="change one value of the recipe (pneumo/training/recipes/MODEL.yaml)",
    )
    p.add_argument(
        "--run", type=Path, metavar="DIR", help="log and resumable state (default: runs/MODEL)"
    )
    p.add_argument("--resume", action="store_true", help="continue a run that was stopped")
    p.add_argument(
        "--out",
        type=Path,
        default=BUNDLED,
        metavar="DIR",
        help="the checkpoint goes here (default: checkpoints)",
    )
    return p


def main(words: list[str] | None = None) -> int:
    """Run; returns the exit code: 0 done, 1 stopped or impossible, 2 wrong usage."""
    p = parser()
    arguments = p.parse_args(words)
    pairs = [change.partition("=") for change in arguments.changes]
    if any(not equals for _, equals, _ in pairs):
        p.error("--set takes KEY=VALUE.")
    try:
        recipe = load_recipe(arguments.model, {key: value for key, _, value in pairs})
    except RecipeError as error:
        p.error(str(error))
    run = arguments.run or Path("runs") / arguments.model
    try:
        train(recipe, arguments.init, Paths(arguments.data, run), resume=arguments.resume)
    except (DataError, CheckpointError, InitialError, StateError, FloatingPointError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\ntrain.py: stopped. Add --resume to the same command to continue after the last "
            "whole epoch.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
