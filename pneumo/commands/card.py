"""python -m pneumo card: write the model card and the README's results from the json files."""

from __future__ import annotations

import argparse
from pathlib import Path

from pneumo.training.model_card import write

ROOT = Path(__file__).resolve().parents[2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(args: argparse.Namespace) -> int:
    """Write what is stale and say so."""
    changed = write(ROOT)
    print("\n".join(f"wrote {path.name}" for path in changed) or "nothing was stale")
    return 0
