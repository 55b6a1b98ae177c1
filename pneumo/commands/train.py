"""pneumo train: train a network, as `python train.py` does.

On several devices: torchrun --nproc-per-node 2 -- train.py --model resnet18 --data data.
"""

import argparse
import os
import sys
from pathlib import Path

from pneumo.evaluation import release
from pneumo.models.card import BUNDLED
from pneumo.models.networks import NETWORKS
from pneumo.training.recipe import RecipeError, load_recipe
from pneumo.training.run import train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-command's arguments."""
    parser.set_defaults(usage_error=parser.error)
    add = parser.add_argument
    add("--model", required=True, choices=NETWORKS)
    place = Path(os.environ.get("PNEUMO_DATA", "data"))
    text = "folder with train/NORMAL and train/PNEUMONIA (default: PNEUMO_DATA, else data)"
    add("--data", type=Path, default=place, metavar="DIR", help=text)
    add(
        "--init",
        metavar="imagenet|scratch|PATH",
        help="starting weights (default: the bundled ones, else scratch)",
    )
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="change the recipe's value")
    text = "weights, log and resumable state (default: runs/MODEL)"
    add("--run", type=Path, metavar="DIR", dest="run_folder", help=text)
    add("--resume", action="store_true", help="continue a run that was stopped")
    text = "the calibrated checkpoint goes here, for the app (default: checkpoints/)"
    add("--out", type=Path, default=BUNDLED, metavar="DIR", help=text)


def run(args: argparse.Namespace) -> int:
    """Train; 0 when done, 1 when stopped.

    Raises:
        DataError, CheckpointError, InitialError, StateError: each with a sentence.
    """
    pairs = [change.partition("=") for change in args.set]
    if any(not equals for _, equals, _ in pairs):
        args.usage_error("--set takes KEY=VALUE")
    try:
        recipe = load_recipe(args.model, {key: value for key, _, value in pairs})
    except RecipeError as error:
        args.usage_error(str(error))
    folder = args.run_folder or Path("runs") / args.model
    try:
        train(recipe, args.data, folder, args.init, resume=args.resume)
    except FloatingPointError as error:
        print(f"pneumo train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\npneumo train: stopped. Add --resume to the same command to continue after the last "
            "whole epoch.",
            file=sys.stderr,
        )
        return 1
    if os.environ.get("RANK", "0") == "0":  # the first of several processes
        finished = release.read_run(folder)
        table = release.validation_of([finished], args.data)
        checkpoint = release.bundle(release.calibrated(finished, table), args.out)
        print(f"Saved {checkpoint.name} to {args.out}; pneumo release {folder} measures the rest.")
    return 0
