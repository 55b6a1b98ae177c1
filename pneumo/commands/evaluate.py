"""pneumo evaluate: score the networks on labelled radiographs, or measure one of their properties.

DIR holds NORMAL/ and PNEUMONIA/, or SPLIT/NORMAL and SPLIT/PNEUMONIA. The others use the validation
radiographs of DIR/train, which no network was trained on; adults takes a folder of its own.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from pneumo.commands.output import refuse_inputs
from pneumo.commands.predict import add_model
from pneumo.data import dataset
from pneumo.evaluation import adults, localization, robustness, shortcut
from pneumo.evaluation.predictions import (
    labelled_images,
    predict_all,
    split_result,
    validation_images,
)
from pneumo.evaluation.thresholds import measure_policy
from pneumo.files import write_whole
from pneumo.models.card import record
from pneumo.models.checkpoint import Checkpoint, CheckpointError, available_models, load_checkpoint
from pneumo.reporting.numbers import (
    LOCALIZATION,
    LOCALIZATION_DETAILS,
    POLICY,
    SCORES,
    number,
    policy_cells,
)

KINDS = ("localization", "shortcut", "robustness", "adults")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = (
        f"pneumo evaluate DIR [options]\n       pneumo evaluate {{{','.join(KINDS)}}} DIR [options]"
    )
    parser.set_defaults(usage_error=parser.error)
    add = parser.add_argument
    add("words", nargs="+", metavar="[WHAT] DIR", help="what is measured, and where")
    add("--split", default="test", help="of DIR, where it has splits (default: test)")
    add_model(parser, "every one there is")
    add("--checkpoints", type=Path, metavar="DIR", help="default: the bundled folder")
    text = "localization: radiologists' boxes, DIR/boxes.csv and DIR/images"
    add("--boxes", type=Path, metavar="DIR", help=text)
    add("--json", type=Path, metavar="FILE", help="also write the numbers there")


def run(args: argparse.Namespace) -> int:
    """Measure and print; 0 when every radiograph was read, 1 when some were not.

    Raises:
        DataError, CheckpointError: each with a sentence.
    """
    *what, folder = args.words
    if len(what) > 1 or (what and what[0] not in KINDS) or folder in KINDS:
        args.usage_error(f"name a folder, or one of {', '.join(KINDS)} and a folder")
    measure = MEASURES[what[0] if what else ""]
    if args.json:
        refuse_inputs([args.json], Path(folder).rglob("*"))
    names = (args.model,) if args.model else available_models(args.checkpoints)
    if not names:
        raise CheckpointError("There is no checkpoint. Train one: python train.py --model cnn")
    results, complete = {}, True
    for name in names:
        checkpoint = load_checkpoint(name, args.checkpoints)
        print(f"{checkpoint.card.title}, weights {checkpoint.weights_sha256[:12]}")
        found, unread = measure(checkpoint, Path(folder), args)
        results[checkpoint.name] = {"weights_sha256": checkpoint.weights_sha256, **found}
        for path, reason in unread:
            print(f"not read: {path}: {reason}")
        print()
        complete &= not unread
    if args.json:
        write_whole(args.json, (json.dumps(results, indent=2) + "\n").encode())
    return 0 if complete else 1


Measured = tuple[dict[str, Any], Sequence[tuple[Path, str]]]


def _folder(checkpoint: Checkpoint, folder: Path, args: argparse.Namespace) -> Measured:
    """Every metric of a labelled folder, at the decisive threshold and for each preset."""
    found = predict_all(checkpoint, labelled_images(folder, args.split))
    result = split_result(found, checkpoint.card.threshold)
    scores = result.scores
    print(
        f"{scores.n} radiographs, {scores.positives} with pneumonia; decisive threshold "
        f"{scores.threshold:.3f}; 95 % intervals"
    )
    rows: list[tuple] = [
        (name, getattr(scores, key), getattr(result.distinct, key, None))
        for key, name in {**SCORES, "brier": "Brier score"}.items()
    ]
    rows += [(f"sensitivity, {k}", v) for k, v in result.sensitivity_by_kind.items()]
    rows += [(f"specificity, {k}", v) for k, v in result.specificity_by_series.items()]
    print_table(["", "all", "distinct"], rows)
    policies = {
        name: measure_policy(one.policy, found.probabilities, found.labels)
        for name, one in checkpoint.card.policies.items()
    }
    print_table(["preset", *POLICY.values()], [[n, *policy_cells(m)] for n, m in policies.items()])
    return {"split": record(result), "policies": record(policies)}, found.unread


def _localization(checkpoint: Checkpoint, folder: Path, args: argparse.Namespace) -> Measured:
    table = localization.measure(checkpoint, folder, args.boxes)
    words = LOCALIZATION | LOCALIZATION_DETAILS
    rows = [
        (words[key], row.network, row.constant_map, row.network.n) for key, row in table.items()
    ]
    print_table(["measure", "network", "constant map", "n"], rows)
    return {"localization": record(table)}, ()


def _validation(checkpoint: Checkpoint, folder: Path) -> tuple[dataset.Sample, ...]:
    training, data = checkpoint.card.training, checkpoint.card.data
    return validation_images(folder, training.recipe, data.fingerprint)


def _shortcut(checkpoint: Checkpoint, folder: Path, args: argparse.Namespace) -> Measured:
    table = _validation(checkpoint, folder)
    found = shortcut.measure(checkpoint, table)
    alone = number(found.auc_sharpness)
    print(f"{found.n} radiographs: AUC {number(found.auc)}, of sharpness alone {alone}")
    for rows in (found.strata, (found.recompressed_before, found.recompressed_after), found.jpeg):
        print_fields(rows)
    return {"shortcut": record(found)}, ()


def _robustness(checkpoint: Checkpoint, folder: Path, args: argparse.Namespace) -> Measured:
    table = _validation(checkpoint, folder)
    found = robustness.measure(checkpoint, table)
    print_fields(found)
    return {"corruptions": record(found)}, ()


def _adults(checkpoint: Checkpoint, folder: Path, args: argparse.Namespace) -> Measured:
    found = adults.measure(checkpoint, folder)
    print_fields(found)
    return {"external": record(found)}, ()


MEASURES: dict[str, Callable[[Checkpoint, Path, argparse.Namespace], Measured]] = {
    "": _folder,
    "localization": _localization,
    "shortcut": _shortcut,
    "robustness": _robustness,
    "adults": _adults,
}


def print_fields(rows: Sequence[Any]) -> None:
    """Print rows of one dataclass under the names of its fields."""
    names = [field.name for field in fields(rows[0])]
    head = [name.replace("_", " ") for name in names]
    print_table(head, [[getattr(row, name) for name in names] for row in rows])


def print_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print columns aligned to the left: texts and counts as they are, measures by `number`."""
    texts = [
        [str(c) if isinstance(c, (str, int)) else number(c) for c in row]  # type: ignore[arg-type]
        for row in (head, *rows)
    ]
    widths = [max(len(row[i]) for row in texts if i < len(row)) for i in range(len(head))]
    for row in texts:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        )
