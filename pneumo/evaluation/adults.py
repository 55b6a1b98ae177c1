"""External evaluation: adult radiographs of another hospital, in the format of `adult_nih`."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pneumo.data.dataset import CLASSES, DataError, Sample
from pneumo.evaluation.metrics import score
from pneumo.evaluation.predictions import predict_all
from pneumo.models.card import ExternalResult
from pneumo.models.checkpoint import Checkpoint

SOURCE = "NIH ChestX-ray8, a part"
REFERENCE = "text-mined from reports"
NEEDED = ("file", "label", "patient", "view")


def adult_images(root: Path) -> tuple[Sample, ...]:
    """The radiographs in `root/images` that `root/labels.csv` names; `kind` is the view, PA or AP.

    A DataError when the table or a file is missing, or a row cannot be understood.
    """
    file = root / "labels.csv"
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
    except FileNotFoundError:
        raise DataError(f"There is no table {file}; the folder needs images/ too.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} is no table of comma-separated values: {error}") from None
    table = []
    for number, row in enumerate(rows, 2):
        if any(not row.get(name) for name in NEEDED) or row["label"] not in CLASSES:
            raise DataError(
                f"{file}, line {number}: {', '.join(NEEDED)} are needed, and the label must be "
                f"{' or '.join(CLASSES)}."
            )
        path = root / "images" / Path(row["file"]).name
        if not path.is_file():
            raise DataError(f"{file}, line {number} names {path}, which is not there.")
        table.append(Sample(path, CLASSES.index(row["label"]), row["patient"], row["view"]))
    if not table:
        raise DataError(f"{file} names no radiograph.")
    return tuple(table)


def patient_of(path: Path) -> str:
    """The patient of a file named PATIENT_NUMBER."""
    return path.stem.split("_")[0]


def fitted_patients(paths: Iterable[Path]) -> set[str]:
    """Every second patient: the input check is fitted and synthetic adults are drawn on these, and
    whatever is released is measured on the others."""
    return set(sorted({patient_of(path) for path in paths})[::2])


def measure(
    checkpoint: Checkpoint, root: Path, held_out: bool = False
) -> tuple[ExternalResult, ...]:
    """AUC, and sensitivity and specificity at the decisive threshold: all, and by view with both
    classes; of all patients, or of those that are not `fitted_patients`.

    A DataError as `adult_images`, and when a class cannot be read.
    """
    table = adult_images(root)
    if held_out:
        fitted = fitted_patients(sample.path for sample in table)
        table = tuple(sample for sample in table if patient_of(sample.path) not in fitted)
    found = predict_all(checkpoint, table)
    y, p, groups = found.labels, found.probabilities, found.groups
    views = np.array([sample.kind for sample in found.table])
    rows = []
    for view in ("all", *sorted(set(views.tolist()), reverse=True)):
        part = np.flatnonzero((views == view) | (view == "all"))
        if 0 < y[part].sum() < len(part):
            # A patient may have both labels; within a class the bootstrap draws patients.
            scores = score(y[part], p[part], checkpoint.card.threshold, None, groups[part])
            counts = len(part), scores.positives, len(set(groups[part].tolist()))
            measured = scores.auc, scores.sensitivity, scores.specificity
            rows.append(ExternalResult(SOURCE, view, REFERENCE, *counts, *measured))
    return tuple(rows)
