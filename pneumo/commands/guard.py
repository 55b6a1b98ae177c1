"""python -m pneumo guard: fit a network's guard, or measure what it refuses, warns of and reads."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pneumo.commands.evaluate import resolve_models
from pneumo.data.dataset import FIT, HELD_OUT
from pneumo.evaluation import guard_table, input_check_fit
from pneumo.evaluation.guard_material import Sources, specimens
from pneumo.models.checkpoint import BUNDLED, Checkpoint, CheckpointError, load
from pneumo.models.networks import network_names
from pneumo.reading.input_check import Guard, guard_path, load_guard, save_guard

EXAMPLES = BUNDLED.parent / "examples"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `guard fit` and `guard evaluate`."""
    commands = parser.add_subparsers(dest="guard_command", required=True, metavar="COMMAND")
    for name, text, act in (
        ("fit", "fit the guard on one half of the pictures, measure it on the other", _fit),
        ("evaluate", "print the refusal table of the held-out half", _evaluate),
    ):
        sub = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.add_argument(
            "--data",
            type=Path,
            required=True,
            metavar="DIR",
            help="dataset with train/NORMAL and train/PNEUMONIA",
        )
        sub.add_argument(
            "--not-chest",
            type=Path,
            required=True,
            metavar="DIR",
            help="one sub-folder for each kind of picture that is no chest film",
        )
        sub.add_argument(
            "--adults",
            type=Path,
            metavar="DIR",
            help="frontal chest films of adults, named PATIENT_NUMBER",
        )
        sub.add_argument(
            "--model", choices=network_names(), help="default: every network that has a checkpoint"
        )
        sub.add_argument(
            "--films",
            type=int,
            default=300,
            metavar="N",
            help="the network's training films that are used (default: 300)",
        )
        sub.add_argument(
            "--drawn",
            type=int,
            default=40,
            metavar="N",
            help="pictures drawn of each kind for either half (default: 40)",
        )
        sub.add_argument(
            "--score-test",
            action="store_true",
            help="also judge the official test films, for the final count",
        )
        sub.set_defaults(act=act)
    sub.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers there")


def run(args: argparse.Namespace) -> int:
    """Fit or evaluate; 0 when done.

    Raises:
        DataError, CheckpointError: each with a sentence.
    """
    names = resolve_models(args.model)
    results = [args.act(args, load(name)) for name in names]
    if getattr(args, "json", None):
        args.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0


def _fit(args: argparse.Namespace, checkpoint: Checkpoint) -> dict:
    sources = _sources(args, checkpoint)
    with tqdm(desc=f"{checkpoint.name}, describing", unit="picture", delay=2) as bar:
        table = input_check_fit.tabulate(checkpoint, specimens(sources, FIT), _mover(bar))
    path = guard_path(checkpoint)
    if path is None:
        raise CheckpointError(f"{checkpoint.name} was not loaded from a folder.")
    save_guard(input_check_fit.fit(checkpoint, table), path)
    guard = load_guard(checkpoint)  # what is measured is what was stored, rounded
    assert guard is not None
    measured = _measure(args, checkpoint, guard, sources)
    measured["unseen_kinds"] = guard_table.unseen_kinds(table)
    kinds, counts = np.unique(table.kind, return_counts=True)
    fitted = {
        "rule": "refuses by cross-validation at most "
        + ", ".join(f"{100 * s:g} % of {k}" for k, s in input_check_fit.REFUSED.items()),
        "false_alarms": input_check_fit.FALSE_ALARMS,
        "pictures": {str(k): int(n) for k, n in zip(kinds, counts, strict=True)},
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }
    save_guard(replace(guard, card={"fitted": fitted, "measured": measured}), path)
    print("\nRefused by a guard that was fitted without the kind:")
    for row in measured["unseen_kinds"]:
        print(f"{row['kind']:22}{row['refused']:6} of {row['n']}")
    print(f"\nSaved {path}.")
    return measured


def _evaluate(args: argparse.Namespace, checkpoint: Checkpoint) -> dict:
    guard = load_guard(checkpoint)
    if guard is None:
        raise CheckpointError(f"There is no {guard_path(checkpoint)}. Make it with: guard fit")
    return _measure(args, checkpoint, guard, _sources(args, checkpoint))


def _measure(
    args: argparse.Namespace, checkpoint: Checkpoint, guard: Guard, sources: Sources
) -> dict:
    """Judge the held-out half, print its table, and give the numbers."""
    pictures = specimens(sources, HELD_OUT)
    with tqdm(desc=f"{checkpoint.name}, judging", unit="picture", delay=2) as bar:
        verdicts = guard_table.judge(checkpoint, guard, pictures, _mover(bar))
        measured = guard_table.summary(verdicts)
        if args.score_test:
            verdicts += guard_table.judge(checkpoint, guard, guard_table.official_test(args.data))
    rows = guard_table.table_of(verdicts)
    print(
        f"\n{checkpoint.name} (weights {checkpoint.weights_sha256[:12]}), held-out pictures: "
        f"AUROC chest against not chest {measured['auroc']:.4f}\n{guard_table.as_text(rows)}"
    )
    return {"weights_sha256": checkpoint.weights_sha256, **measured, "table": rows}


def _sources(args: argparse.Namespace, checkpoint: Checkpoint) -> Sources:
    recipe = checkpoint.card.training.recipe
    return Sources(
        args.data,
        args.not_chest,
        args.adults,
        args.films,
        args.drawn,
        EXAMPLES,
        folds=recipe.get("folds", 10),
        fold=recipe.get("fold", 0),
    )


def _mover(bar: tqdm) -> Callable[[int], None]:
    def move(done: int) -> None:
        bar.update(done - bar.n)

    return move
