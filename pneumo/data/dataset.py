"""A dataset folder as a table of samples: labels, patients, validation split, memory cache."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold
from tqdm import tqdm

from pneumo.imaging.radiograph import UnreadableImage, read_radiograph
from pneumo.models.preprocess import Preprocessing

CLASSES = ("NORMAL", "PNEUMONIA")
SUFFIXES = {".jpeg", ".jpg", ".png"}
HOW_TO_GET_IT = (
    "Get the dataset with: python -m pneumo data download (it writes data/train and data/test), "
    "or point --data at a folder that holds train/NORMAL and train/PNEUMONIA."
)


class DataError(ValueError):
    """A dataset that cannot be used; the message says what is wrong, where, and what to do."""


@dataclass(frozen=True)
class Sample:
    """One radiograph of the dataset: label 1 for PNEUMONIA, `group` the patient, and `kind`
    normal, bacteria, virus, or pneumonia where the name does not tell."""

    path: Path
    label: int
    group: str
    kind: str


def patient_group(path: Path) -> tuple[str, str]:
    """Patient group and kind, from the dataset's file names.

    Numbering restarts for bacteria and virus, so those are different patients, as are IM and
    NORMAL2-IM. A name of another pattern is a patient of its own.
    """
    stem = path.stem
    if match := re.match(r"(person\d+)_(bacteria|virus)", stem):
        return f"{match[1]}_{match[2]}", match[2]
    kind = path.parent.name.lower()
    if match := re.match(r"((?:NORMAL2-)?IM-\d+)", stem):
        return match[1], kind
    return f"{path.parent.name}/{stem}", kind


def series_of(sample: Sample) -> str:
    """The series a NORMAL radiograph belongs to, by its name: IM, NORMAL2-IM, or none."""
    known = None if sample.label else re.fullmatch(r"((?:NORMAL2-)?IM)-\d+", sample.group)
    return known[1] if known else ""


def samples(root: str | Path, split: str = "train") -> tuple[Sample, ...]:
    """The radiographs of `root/split/{NORMAL,PNEUMONIA}`, sorted by class and name; a DataError
    when a folder is missing or empty."""
    folder = Path(root) / split
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}. {HOW_TO_GET_IT}")
    table = []
    for label, name in enumerate(CLASSES):
        # Not the ._NAME.jpeg files that macOS leaves beside pictures.
        files = (folder / name).glob("[!.]*")
        found = sorted(path for path in files if path.suffix.lower() in SUFFIXES)
        if not found:
            what = "holds no JPEG or PNG picture" if (folder / name).is_dir() else "is missing"
            raise DataError(
                f"{folder / name} {what}; both classes, {' and '.join(CLASSES)}, are needed. "
                f"{HOW_TO_GET_IT}"
            )
        table += [Sample(p, label, *patient_group(p)) for p in found]
    return tuple(table)


def facts(table: Sequence[Sample]) -> dict:
    """Counts for a card: radiographs, patients, and radiographs by kind."""
    return {
        "radiographs": len(table),
        "patients": len({sample.group for sample in table}),
        "by_kind": dict(sorted(Counter(sample.kind for sample in table).items())),
    }


def labels(table: Sequence[Sample]) -> np.ndarray:
    """Labels of the radiographs, int64 (N,), 1 for pneumonia."""
    return np.array([sample.label for sample in table], dtype=np.int64)


def validation_split(
    table: Sequence[Sample], seed: int = 0, folds: int = 10, fold: int = 0
) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    """Patient-grouped split, stratified by kind: (training radiographs, validation radiographs).

    A DataError when a class has too few patients to appear on both sides.
    """
    kinds = [sample.kind for sample in table]
    groups = [sample.group for sample in table]
    patients = Counter(sample.label for sample in {f.group: f for f in table}.values())
    if min(patients.get(0, 0), patients.get(1, 0)) < folds:
        raise DataError(
            f"A validation split of one patient in {folds} needs at least {folds} patients of each "
            f"class; there are {patients.get(0, 0)} NORMAL and {patients.get(1, 0)} PNEUMONIA. "
            "Add radiographs, or --set folds to a smaller number."
        )
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    train, held_out = list(splitter.split(kinds, kinds, groups))[fold]
    return tuple(table[i] for i in train), tuple(table[i] for i in held_out)


def fingerprint(table: Sequence[Sample]) -> str:
    """sha256 over class, name and bytes of every radiograph; the same for any order or place."""
    total = hashlib.sha256()
    paths = [sample.path for sample in table]
    for path in sorted(paths, key=lambda path: (path.parent.name, path.name)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.parent.name}/{path.name} {content}\n".encode())
    return total.hexdigest()


def load_squares(table: Sequence[Sample], preprocessing: Preprocessing) -> np.ndarray:
    """Decode every radiograph once, as when serving: uint8, (N, size, size); a DataError names
    those that cannot be read."""

    def square(sample: Sample) -> np.ndarray | str:
        try:
            return preprocessing.square(read_radiograph(sample.path).pixels)
        except UnreadableImage as error:
            return f"{sample.path}: {error.sentence}"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        work = pool.map(square, table)
        done = list(tqdm(work, "reading", len(table), unit="image", delay=2, disable=None))
    bad = [result for result in done if isinstance(result, str)]
    if bad:
        shown = "\n  ".join(bad[:10]) + (f"\n  and {len(bad) - 10} more" if len(bad) > 10 else "")
        raise DataError(
            f"{len(bad)} of {len(table)} radiographs cannot be read:\n  {shown}\n"
            f"Remove or replace them. {HOW_TO_GET_IT}"
        )
    return np.stack(done)
