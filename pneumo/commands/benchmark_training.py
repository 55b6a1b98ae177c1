"""python -m pneumo benchmark training: the training step against a bare step of the network."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from pneumo.evaluation.step_rate import some_films, step_rates
from pneumo.models.networks import network_names
from pneumo.training.allocator import keep_freed_memory
from pneumo.training.batches import AT_ONCE
from pneumo.training.recipe import Recipe

AIM = 0.85
ROWS = {
    "bare": "bare", "training": "training", "same_films": "on the same films",
    "without_evidence": "without evidence", "lungs": "in a lung epoch",
}
WITH_AIM = ("training", "same_films")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the benchmark's arguments."""
    parser.add_argument("--model", choices=network_names(), default="resnet18",
                        help="default: resnet18")
    parser.add_argument("--data", type=Path, metavar="DIR",
                        help="folder with train/NORMAL and train/PNEUMONIA (default: drawn films)")
    parser.add_argument("--steps", type=_several, default=20,
                        help="timed in a turn, of each kind, rounded up to whole groups of "
                        f"{AT_ONCE} (default: 20)")
    parser.add_argument("--rounds", type=_several, default=3,
                        help="turns of each kind (default: 3)")
    parser.add_argument("--size", type=_several, help="of films (default: the recipe's)")
    parser.add_argument("--batch", type=_several, default=32, help="films a step (default: 32)")


def _several(word: str) -> int:
    value = int(word)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is too few")
    return value


def run(args: argparse.Namespace) -> int:
    """Time all kinds of step by turns and print milliseconds and ratios, with their range.

    Raises:
        DataError: when the films cannot be read.
    """
    keep_freed_memory()
    recipe = Recipe.released(args.model)
    size, steps = args.size or recipe.size, -(-args.steps // AT_ONCE) * AT_ONCE
    found, device = step_rates(
        args.model, lambda count: some_films(max(size, recipe.detail), count, args.data),
        steps, args.rounds, size, args.batch,
    )
    print(f"{args.model}, steps of {args.batch} films of {size} px, {device}, "
          f"{torch.get_num_threads()} threads, {args.rounds} x {steps} steps of each kind")
    for name, title in ROWS.items():
        rate = found[name]
        row = f"{title:<20}{rate.milliseconds:9.1f} ms a step"
        if rate.ratios:
            row += f"   ratio {rate.ratio:.2f} ({min(rate.ratios):.2f} to {max(rate.ratios):.2f})"
        print(row + (f"   aim: at least {AIM}" if name in WITH_AIM else ""))
    return 0
