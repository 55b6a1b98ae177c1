"""What a dataset folder holds besides disease: balance, patients, duplicates, give-away properties.

A property of the files that differs between the classes, such as sharpness or compression, is
something a network can learn instead of pneumonia. The audit says how well each of them alone
tells the classes apart, in every split.
"""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from sklearn.metrics import roc_auc_score

from pneumo.data.dataset import CLASSES, HOW_TO_GET_IT, DataError, Sample, samples
from pneumo.imaging.radiograph import UnreadableImage, read_radiograph
from pneumo.models.preprocess import Preprocessing

SPLITS = ("train", "test", "val")
PROPERTIES = ("sharpness", "file_bytes", "bytes_per_pixel")


@dataclass(frozen=True)
class Measured:
    """A radiograph of the dataset and the properties of its file and pixels.

    Attributes:
        sample: its entry in the dataset.
        split: train, test or val.
        width, height: of the stored image, in pixels.
        file_bytes: size of the file.
        sharpness: variance of the Laplacian of the network's square, in squared grey levels.
        digest: sha256 of the decoded grey pixels and their shape; equal for identical images.
    """

    sample: Sample
    split: str
    width: int
    height: int
    file_bytes: int
    sharpness: float
    digest: str

    @property
    def bytes_per_pixel(self) -> float:
        """How much file the compression left for a pixel."""
        return self.file_bytes / (self.width * self.height)


@dataclass(frozen=True)
class Audit:
    """All radiographs that could be read, and a sentence for each that could not."""

    measured: tuple[Measured, ...]
    unreadable: tuple[str, ...]

    def splits(self) -> tuple[str, ...]:
        """The splits that hold radiographs, in their usual order."""
        held = {one.split for one in self.measured}
        return tuple(split for split in SPLITS if split in held)

    def of(self, split: str, label: int | None = None) -> tuple[Measured, ...]:
        """The radiographs of a split, of one class where `label` (0 or 1) is given."""
        return tuple(
            one for one in self.measured if one.split == split and label in (None, one.sample.label)
        )

    def record(self) -> dict:
        """Everything the audit found, as plain values for JSON."""
        return {
            "splits": {split: describe_split(self.of(split)) for split in self.splits()},
            "across": describe_across(self.measured),
            "unreadable": list(self.unreadable),
        }


def audit(root: str | Path, progress: Callable[[int, int], None] | None = None) -> Audit:
    """Decodes and measures every radiograph of `root`'s train, test and val.

    Args:
        root: the dataset; at least one of the three splits must be there.
        progress: called with the number of radiographs done and their total.

    Raises:
        DataError: when no split is there, or one lacks a class.
    """
    tables = {split: samples(root, split) for split in SPLITS if (Path(root) / split).is_dir()}
    if not tables:
        raise DataError(f"{root} holds none of the folders train, test, val. {HOW_TO_GET_IT}")
    todo = [(split, sample) for split, table in tables.items() for sample in table]
    measured: list[Measured] = []
    unreadable: list[str] = []
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for done, result in enumerate(pool.map(measure, *zip(*todo, strict=True)), 1):
            if isinstance(result, str):
                unreadable.append(result)
            else:
                measured.append(result)
            if progress:
                progress(done, len(todo))
    return Audit(tuple(measured), tuple(unreadable))


def measure(split: str, sample: Sample) -> Measured | str:
    """Measures one radiograph; a sentence with its path when it cannot be read."""
    try:
        pixels = read_radiograph(sample.path).pixels
    except UnreadableImage as error:
        return f"{sample.path}: {error.sentence}"
    square = Preprocessing().square(pixels)
    height, width = pixels.shape
    return Measured(
        sample=sample,
        split=split,
        width=width,
        height=height,
        file_bytes=sample.path.stat().st_size,
        sharpness=float(cv2.Laplacian(square, cv2.CV_64F).var()),
        digest=hashlib.sha256(f"{height}x{width}:".encode() + pixels.tobytes()).hexdigest(),
    )


def describe_split(part: Sequence[Measured]) -> dict:
    """Counts, patients, duplicates, sizes and give-away properties of one split."""
    classes = Counter(CLASSES[one.sample.label] for one in part)
    sizes = Counter((one.width, one.height) for one in part)
    pixels = [one.width * one.height for one in part]
    return {
        "radiographs": len(part),
        "classes": {name: classes[name] for name in CLASSES},
        "pneumonia_share": classes["PNEUMONIA"] / len(part),
        "kinds": dict(sorted(Counter(one.sample.kind for one in part).items())),
        "patients": len({one.sample.group for one in part}),
        "most_of_a_patient": max(Counter(one.sample.group for one in part).values()),
        "duplicates": describe_duplicates(part),
        "sizes": {
            "different": len(sizes),
            "commonest": "{}x{}".format(*sizes.most_common(1)[0][0]),
            "pixels_min": min(pixels),
            "pixels_median": float(np.median(pixels)),
            "pixels_max": max(pixels),
        },
        "normal_is_higher_auc": {name: give_away(part, name) for name in PROPERTIES},
        "medians": {
            name: {label: _median(part, label, name) for label in CLASSES} for name in PROPERTIES
        },
    }


def describe_duplicates(part: Iterable[Measured]) -> dict:
    """Pixel-identical radiographs: sets, copies too many, and what the sets straddle."""
    by_pixels = defaultdict(list)
    for one in part:
        by_pixels[one.digest].append(one)
    repeated = [same for same in by_pixels.values() if len(same) > 1]
    return {
        "sets": len(repeated),
        "pairs": sum(len(same) * (len(same) - 1) // 2 for same in repeated),
        "redundant": sum(len(same) - 1 for same in repeated),
        "distinct": len(by_pixels),
        "sets_with_both_labels": _straddling(repeated, lambda one: one.sample.label),
        "sets_of_several_patients": _straddling(repeated, lambda one: one.sample.group),
    }


def describe_across(measured: Sequence[Measured]) -> dict:
    """Patients and pixel-identical radiographs that are in more than one split."""
    where, by_pixels = defaultdict(set), defaultdict(list)
    for one in measured:
        where[one.sample.group].add(one.split)
        by_pixels[one.digest].append(one)
    return {
        "patients_in_several_splits": sorted(who for who in where if len(where[who]) > 1),
        "identical_in_several_splits": _straddling(by_pixels.values(), lambda one: one.split),
        "identical_with_both_labels": _straddling(by_pixels.values(), lambda one: one.sample.label),
    }


def give_away(part: Sequence[Measured], name: str) -> float | None:
    """Probability that a NORMAL radiograph has more of a property than a PNEUMONIA one.

    0.5 tells nothing; None when a class is missing.
    """
    normal = [one.sample.label == 0 for one in part]
    if len(set(normal)) < 2:
        return None
    return float(roc_auc_score(normal, [getattr(one, name) for one in part]))


def _median(part: Sequence[Measured], label: str, name: str) -> float | None:
    values = [getattr(one, name) for one in part if CLASSES[one.sample.label] == label]
    return float(np.median(values)) if values else None


def _straddling(sets: Iterable[Sequence[Measured]], value: Callable[[Measured], object]) -> int:
    return sum(1 for same in sets if len({value(one) for one in same}) > 1)
