"""python -m pneumo benchmark training: the training step against a bare step of the network."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from pneumo.models.networks import network_names
from pneumo.training.allocator import keep_freed_memory
from pneumo.training.batches import AT_ONCE
from pneumo.training.recipe import Recipe
from pneumo.training.step_rate import some_films, step_rates

AIM = 0.85


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the benchmark's arguments."""
    parser.add_argument("--model", choices=network_names(), default="resnet18",
                        help="default: resnet18")
    parser.add_argument("--data", type=Path, metavar="DIR",
                        help="folder with train/NORMAL and train/PNEUMONIA (default: drawn films)")
    parser.add_argument("--steps", type=_several, default=20,
                        help="timed in a round, of each kind, rounded up to whole groups of "
                        f"{AT_ONCE} (default: 20)")
    parser.add_argument("--rounds", type=_several, default=3,
                        help="turns, after one to warm up (default: 3)")
    parser.add_argument("--size", type=_several, help="of films (default: the recipe's)")
    parser.add_argument("--batch", type=_several, default=32, help="films a step (default: 32)")


def _several(word: str) -> int:
    value = int(word)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is too few")
    return value


def run(args: argparse.Namespace) -> int:
    """Time both kinds of step by turns and print milliseconds and ratios.

    Raises:
        DataError: when the films cannot be read.
    """
    keep_freed_memory()
    recipe = Recipe.released(args.model)
    size, steps = args.size or recipe.size, -(-args.steps // AT_ONCE) * AT_ONCE
    found = step_rates(
        args.model, lambda count: some_films(max(size, recipe.detail), count, args.data),
        steps, args.rounds, size, args.batch,
    )
    print(f"{args.model}, steps of {args.batch} films of {size} px, {found['device']}, "
          f"{torch.get_num_threads()} threads, {args.rounds} x {steps} steps of each kind")
    print(f"{'bare':<20}{found['bare']:9.1f} ms a step")
    print(f"{'training':<20}{found['training']:9.1f} ms a step   ratio {found['ratio']:.2f}   "
          f"aim: at least {AIM}")
    print(f"{'on the same films':<20}{found['same_films']:9.1f} ms a step   "
          f"ratio {found['ratio_same_films']:.2f}   aim: at least {AIM}")
    print(f"{'without evidence':<20}{found['without_evidence']:9.1f} ms a step   "
          f"ratio {found['ratio_without_evidence']:.2f}")
    print(f"{'in a lung epoch':<20}{found['lungs']:9.1f} ms a step   "
          f"ratio {found['ratio_lungs']:.2f}")
    return 0
