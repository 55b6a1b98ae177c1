"""pneumo evaluate: score the networks on labelled radiographs, or measure one of their properties.

DIR holds NORMAL/ and PNEUMONIA/, or SPLIT/NORMAL and SPLIT/PNEUMONIA. The others use the validation
radiographs of DIR/train, which no network was trained on; adults takes a folder of its own.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pneumo.commands.output import refuse_inputs
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
from pneumo.models.card import Corruption, record
from pneumo.models.checkpoint import Checkpoint, CheckpointError, available_models, load_checkpoint
from pneumo.models.networks import network_names
from pneumo.reporting.sections import (
    LOCALIZATION,
    POLICY_HEAD,
    SCORES,
    number,
    percent,
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
    add("--model", choices=network_names(), help="default: every one there is")
    add("--checkpoints", type=Path, metavar="DIR", help="default: the bundled folder")
    add(
        "--boxes",
        type=Path,
        metavar="DIR",
        help="localization: radiologists' boxes, DIR/boxes.csv and DIR/images",
    )
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
    results, complete = {}, True
    for name in resolve_models(args.model, args.checkpoints):
        checkpoint = load_checkpoint(name, args.checkpoints)
        print(f"{checkpoint.card.title}, weights {checkpoint.weights_sha256[:12]}")
        found, unread = measure(checkpoint, Path(folder), args)
        results[name] = {"weights_sha256": checkpoint.weights_sha256, **found}
        for path, reason in unread:
            print(f"not read: {path}: {reason}")
        print()
        complete &= not unread
    if args.json:
        write_whole(args.json, (json.dumps(results, indent=2) + "\n").encode())
    return 0 if complete else 1


def resolve_models(name: str | None, folder: Path | None = None) -> tuple[str, ...]:
    """The named network, or all that have a checkpoint in the folder.

    Raises:
        CheckpointError: when none is named and there is none.
    """
    names = (name,) if name else available_models(folder)
    if not names:
        raise CheckpointError("There is no checkpoint. Train one: python train.py --model cnn")
    return names


Measured = tuple[dict[str, Any], Sequence[tuple[Path, str]]]


def _folder(checkpoint: Checkpoint, folder: Path, args: argparse.Namespace) -> Measured:
    """Every metric of a labelled folder, at the decisive threshold and for each preset."""
    table = labelled_images(folder, args.split)
    found = predict_all(checkpoint, table)
    result = split_result(found, checkpoint.card.threshold)
    scores = result.scores
    print(
        f"{scores.n} radiographs, {scores.positives} with pneumonia; decisive threshold "
        f"{scores.threshold:.3f}; 95 % intervals"
    )
    head = ["", "all", "distinct"]
    rows = [
        [
            name,
            number(getattr(scores, key)),
            number(getattr(result.distinct, key)) if result.distinct else "–",
        ]
        for key, name in {**SCORES, "brier": "Brier score"}.items()
    ]
    rows += [[f"sensitivity, {k}", number(v)] for k, v in result.sensitivity_by_kind.items()]
    rows += [[f"specificity, {k}", number(v)] for k, v in result.specificity_by_series.items()]
    print_table(head, rows)
    policies = {
        name: measure_policy(one.policy, found.probabilities, found.labels)
        for name, one in checkpoint.card.policies.items()
    }
    print_table(["preset", *POLICY_HEAD], [[n, *policy_cells(m)] for n, m in policies.items()])
    return {"split": record(result), "policies": record(policies)}, found.unread


def _localization(checkpoint: Checkpoint, folder: Path, args: argparse.Namespace) -> Measured:
    table = localization.measure(checkpoint, folder, args.boxes, args.checkpoints)
    rows = [
        [
            LOCALIZATION.get(key, key),
            number(row.network),
            number(row.constant_map),
            str(row.network.n),
        ]
        for key, row in table.items()
    ]
    print_table(["measure", "network", "constant map", "n"], rows)
    return {"localization": record(table)}, ()


def _validation(checkpoint: Checkpoint, folder: Path) -> tuple[dataset.Sample, ...]:
    training, data = checkpoint.card.training, checkpoint.card.data
    return validation_images(folder, training.recipe, data.fingerprint)


def _shortcut(checkpoint: Checkpoint, folder: Path, args: argparse.Namespace) -> Measured:
    table = _validation(checkpoint, folder)
    with tqdm(total=shortcut.STEPS, delay=2, disable=None) as bar:
        found = shortcut.measure(checkpoint, table, bar.update)
    print_table(
        [f"{found.n} radiographs", "n", "pneumonia", "AUC", "AUC of sharpness alone"],
        [["all", str(found.n), "", number(found.auc), number(found.auc_sharpness)]]
        + [
            [row.name, str(row.n), str(row.positives), number(row.auc), number(row.auc_sharpness)]
            for row in found.strata
        ],
    )
    print_rates([found.recompressed_before, found.recompressed_after])
    print_table(
        ["JPEG quality", "mean change", "95th percentile", "crossed the threshold"],
        [
            [str(row.quality), number(row.mean_change), number(row.change_95), percent(row.flipped)]
            for row in found.jpeg
        ],
    )
    return {"shortcut": record(found)}, ()


def _robustness(checkpoint: Checkpoint, folder: Path, args: argparse.Namespace) -> Measured:
    table = _validation(checkpoint, folder)
    with tqdm(total=len(robustness.CORRUPTIONS), delay=2, disable=None) as bar:
        found = robustness.measure(checkpoint, table, bar.update)
    print(f"{found[0].n} validation radiographs, decisive threshold")
    print_rates(found)
    return {"corruptions": record(found)}, ()


def _adults(checkpoint: Checkpoint, folder: Path, args: argparse.Namespace) -> Measured:
    found = adults.measure(checkpoint, folder)
    print(f"{found[0].source}, labels {found[0].reference}; decisive threshold")
    print_table(
        ["view", "n", "pneumonia", "AUC", "sensitivity", "specificity"],
        [
            [
                row.group,
                str(row.n),
                str(row.positives),
                number(row.auc),
                number(row.sensitivity),
                number(row.specificity),
            ]
            for row in found
        ],
    )
    return {"external": record(found)}, ()


MEASURES: dict[str, Callable[[Checkpoint, Path, argparse.Namespace], Measured]] = {
    "": _folder,
    "localization": _localization,
    "shortcut": _shortcut,
    "robustness": _robustness,
    "adults": _adults,
}


def print_rates(rows: Sequence[Corruption]) -> None:
    """A row a corruption."""
    print_table(
        ["corruption", "AUC", "sensitivity", "specificity"],
        [
            [row.name, number(row.auc), number(row.sensitivity), number(row.specificity)]
            for row in rows
        ],
    )


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns aligned to the left."""
    lines = [head, *rows]
    widths = [
        max(len(line[column]) for line in lines if column < len(line))
        for column in range(len(head))
    ]
    for line in lines:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False)).rstrip()
        )
