"""pneumo release: calibrate, measure and bundle the best seed of finished training runs.

Prints its steps and continues where it was stopped. RUN is a folder that train.py finished; several
are seeds of one recipe. What is measured is kept in RUN/checkpoint; delete it to measure anew.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from pneumo.evaluation import official_test
from pneumo.evaluation import release as steps
from pneumo.models.card import BUNDLED, write_card
from pneumo.models.checkpoint import Checkpoint

README = BUNDLED.parent / "README.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-command's arguments."""
    add = parser.add_argument
    add("runs", nargs="+", type=Path, metavar="RUN", help="folder of a finished run")
    text = "the dataset that was trained on (default: data)"
    add("--data", type=Path, default=Path("data"), metavar="DIR", help=text)
    text = "adult radiographs: images/, labels.csv and, for localization, boxes.csv"
    add("--adults", type=Path, metavar="DIR", help=text)
    add("--score-test", action="store_true", help="score the test split, once for these weights")
    add("--out", type=Path, default=BUNDLED, metavar="DIR", help="default: checkpoints/")


def run(args: argparse.Namespace) -> int:
    """Release; 0 when done. DataError and CheckpointError come with a sentence."""
    runs = [steps.read_run(folder) for folder in args.runs]
    steps.same_recipe(runs)
    say("reading the validation radiographs' list")
    table = steps.validation_of(runs, args.data)
    boxes = args.adults if args.adults and (args.adults / "boxes.csv").is_file() else None
    checkpoints = []
    for one in runs:
        say(f"calibration and presets: {one.folder}")
        checkpoint = steps.calibrated(one, table)
        say(f"localization: {one.folder}")
        checkpoints.append(steps.localized(checkpoint, args.data, boxes))
    checkpoint = steps.with_seeds(checkpoints)
    checkpoint = steps.measured(checkpoint, table, args.adults, say)
    bundle(args, checkpoint)
    return 0


def bundle(args: argparse.Namespace, checkpoint: Checkpoint) -> None:
    """Write the checkpoint to its folder, score it if asked, and render what shows it."""
    say(f"weights and card to {args.out}")
    # README and docs are those of a checkout, and show the bundled folder alone.
    ours = args.out.resolve() == BUNDLED.resolve() and README.is_file()
    docs = README.parent / "docs" if ours else args.out
    log, staging = docs / "experiments.md", checkpoint.folder
    bundled = steps.bundle(checkpoint, args.out)
    card = bundled.card
    if args.score_test:
        say("official test split")
        card = official_test.score_once(bundled, args.data, log)
        write_card(replace(card, weights=checkpoint.card.weights), staging)
    official_test.log_version(card, log)
    say("model card, README table and figures")
    from pneumo.reporting import figures, model_card  # matplotlib takes a second to load

    changed = model_card.write(args.out, README if ours else None)
    drawn = figures.draw(model_card.read_cards(args.out), docs / "figures")
    print("    " + ", ".join(path.name for path in [*changed, *drawn]))


def say(line: str) -> None:
    """Print a step."""
    print(f"- {line}", flush=True)
