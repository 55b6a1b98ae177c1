"""python -m pneumo evaluate: score the checkpoints, on a labelled folder or in a special way."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tqdm import tqdm

from pneumo.commands.chosen import chosen_models
from pneumo.commands.evaluate_text import adult_lines, lung_lines, shortcut_lines, table
from pneumo.data.adults import adult_table
from pneumo.data.dataset import DataError
from pneumo.evaluation.evaluation import score_films
from pneumo.evaluation.localization import lung_table
from pneumo.evaluation.shortcut import STEPS, shortcut_table
from pneumo.models.checkpoint import read_card
from pneumo.models.networks import network_names
from pneumo.reporting.remember import remember

FIGURES = Path(__file__).resolve().parents[2] / "docs" / "figures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-command's arguments."""
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR",
                        help="folder that holds SPLIT/NORMAL and SPLIT/PNEUMONIA")
    parser.add_argument("--data", type=Path, metavar="DIR", help="the same, named")
    parser.add_argument("--split", default="test", help="default: test")
    parser.add_argument("--model", choices=network_names(), help="default: every bundled network")
    parser.add_argument("--checkpoints", type=Path, metavar="DIR",
                        help="folder of the networks; default: the bundled one")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--lungs", type=Path, metavar="MASKS",
                         help="instead measure where the evidence lies, on validation films of "
                         "DIR/train with a mask MASKS/{NORMAL,PNEUMONIA}/STEM.png")
    instead.add_argument("--shortcut", action="store_true",
                         help="instead measure whether sharpness or compression sways the network, "
                         "on validation films of DIR/train")
    instead.add_argument("--adults", type=Path, metavar="DIR",
                         help="instead score adult films: DIR/images and DIR/labels.csv")
    instead.add_argument("--figures", type=Path, nargs="?", const=FIGURES, metavar="DIR",
                         help="instead draw the figures from the json files; default: docs/figures")
    parser.add_argument("--save", action="store_true",
                        help="also write what --lungs, --shortcut or --adults measured into the "
                        "card beside the weights")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")


def run(args: argparse.Namespace) -> int:
    """Score or draw; 0 when every film was read, 1 when some were not.

    Raises:
        DataError, CheckpointError: each with a sentence.
    """
    names, folder = chosen_models(args.model, args.checkpoints), args.checkpoints
    special = next((key for key in ("lungs", "shortcut", "adults") if getattr(args, key)), None)
    if args.save and not special:
        raise DataError("--save belongs to --lungs, --shortcut or --adults.")
    if args.figures:
        from pneumo.reporting.figures import draw  # matplotlib takes a second to load

        files = draw([read_card(name, folder) for name in names], args.figures)
        print("\n".join(str(file) for file in files))
        return 0
    data = args.data or args.folder
    if data is None and special != "adults":
        raise DataError("Which films? Name the folder that holds train/ and test/.")
    if special == "lungs":
        results = [lung_table(name, data, args.lungs, folder) for name in names]
        print(lung_lines(results))
    elif special == "shortcut":
        results = [_shortcut(name, data, folder) for name in names]
        print("\n".join(map(shortcut_lines, names, results)))
    elif special == "adults":
        results = [adult_table(name, args.adults, folder) for name in names]
        print("\n".join(map(adult_lines, names, results)))
    else:
        results = [score_films(name, data, args.split, folder) for name in names]
        print("\n".join(table(result) for result in results))
    if args.save:
        for name, result in zip(names, results, strict=True):
            remember(name, special, result, folder)
    if args.json:
        args.json.write_text(json.dumps(results, indent=2) + "\n")
    return 1 if any(result.get("unread") for result in results) else 0


def _shortcut(name: str, data: Path, folder: Path | None) -> dict:
    with tqdm(total=STEPS, desc=name, delay=2, disable=None) as bar:
        return shortcut_table(name, data, folder, bar.update)
