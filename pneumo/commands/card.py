"""python -m pneumo card: write the model card and the README's results from the json files."""

from __future__ import annotations

import argparse
from pathlib import Path

from pneumo.reporting.model_card import write

ROOT = Path(__file__).resolve().parents[2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-command's arguments."""
    parser.add_argument("--checkpoints", type=Path, metavar="DIR",
                        help="folder of the json files, where MODEL_CARD.md goes too; with one, "
                        "the README is left alone")


def run(args: argparse.Namespace) -> int:
    """Write what is stale and say so."""
    changed = write(None if args.checkpoints else ROOT, args.checkpoints)
    print("\n".join(f"wrote {path.name}" for path in changed) or "nothing was stale")
    return 0
