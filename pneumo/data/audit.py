"""What a dataset folder holds besides disease: balance, patients, duplicates, give-away properties.

A property that differs between the classes, such as sharpness, can be learned instead of pneumonia.
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
from tqdm import tqdm

from pneumo.data.dataset import CLASSES, HOW_TO_GET_IT, DataError, Sample, samples
from pneumo.imaging.radiograph import UnreadableImage, read_radiograph
from pneumo.models.preprocess import Preprocessing

SPLITS = ("train", "test", "val")
PROPERTIES = ("sharpness", "file_bytes", "bytes_per_pixel")


@dataclass(frozen=True)
class Measured:
    """A radiograph of the dataset and the properties of its file and pixels.

    `sharpness` is the variance of the Laplacian of the network's square, `digest` a sha256 of the
    decoded pixels and their shape.
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
        return tuple(split for split in SPLITS if self.of(split))

    def of(self, split: str, label: int | None = None) -> tuple[Measured, ...]:
        """The radiographs of a split, of one class where `label` (0 or 1) is given."""
        return tuple(
            one for one in self.measured if one.split == split and label in (None, one.sample.label)
        )

    def record(self) -> dict:
        """Everything the audit found, as plain values for JSON."""
        splits_of, alike = defaultdict(set), _identical(self.measured)
        for one in self.measured:
            splits_of[one.sample.group].add(one.split)
        return {
            "splits": {split: _describe(self.of(split)) for split in self.splits()},
            "across": {
                "patients_in_several_splits": sorted(g for g, s in splits_of.items() if len(s) > 1),
                "identical_in_several_splits": _mixed(alike, lambda one: one.split),
                "identical_with_both_labels": _mixed(alike, lambda one: one.sample.label),
            },
            "unreadable": list(self.unreadable),
        }


def audit(root: str | Path) -> Audit:
    """Decodes and measures every radiograph of `root`'s train, test and val; a DataError when no
    split is there, or one lacks a class."""
    held = [split for split in SPLITS if (Path(root) / split).is_dir()]
    if not held:
        raise DataError(f"{root} holds none of the folders train, test, val. {HOW_TO_GET_IT}")
    todo = [(split, sample) for split in held for sample in samples(root, split)]
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        work = pool.map(_measure, *zip(*todo, strict=True))
        done = list(tqdm(work, "audit", len(todo), unit="image", delay=2, leave=False))
    return Audit(
        tuple(one for one in done if isinstance(one, Measured)),
        tuple(one for one in done if isinstance(one, str)),
    )


def _measure(split: str, sample: Sample) -> Measured | str:
    """One radiograph measured; a sentence with its path when it cannot be read."""
    try:
        pixels = read_radiograph(sample.path).pixels
    except UnreadableImage as error:
        return f"{sample.path}: {error.sentence}"
    height, width = pixels.shape
    return Measured(
        sample=sample,
        split=split,
        width=width,
        height=height,
        file_bytes=sample.path.stat().st_size,
        sharpness=float(cv2.Laplacian(Preprocessing().square(pixels), cv2.CV_64F).var()),
        digest=hashlib.sha256(f"{height}x{width}:".encode() + pixels.tobytes()).hexdigest(),
    )


def _describe(part: Sequence[Measured]) -> dict:
    """Counts, patients, duplicates, sizes and give-away properties of one split."""
    labels = [CLASSES[one.sample.label] for one in part]
    sizes = Counter((one.width, one.height) for one in part)
    pixels = [one.width * one.height for one in part]
    alike = _identical(part)
    values = {name: np.array([getattr(one, name) for one in part]) for name in PROPERTIES}
    of = {name: np.array(labels) == name for name in CLASSES}
    return {
        "radiographs": len(part),
        "classes": {name: labels.count(name) for name in CLASSES},
        "pneumonia_share": labels.count("PNEUMONIA") / len(part),
        "kinds": dict(sorted(Counter(one.sample.kind for one in part).items())),
        "patients": len({one.sample.group for one in part}),
        "most_of_a_patient": max(Counter(one.sample.group for one in part).values()),
        "duplicates": {
            "sets": len(alike),
            "pairs": sum(len(same) * (len(same) - 1) // 2 for same in alike),
            "redundant": sum(len(same) - 1 for same in alike),
            "distinct": len({one.digest for one in part}),
            "sets_with_both_labels": _mixed(alike, lambda one: one.sample.label),
            "sets_of_several_patients": _mixed(alike, lambda one: one.sample.group),
        },
        "sizes": {
            "different": len(sizes),
            "commonest": "{}x{}".format(*sizes.most_common(1)[0][0]),
            "pixels_min": min(pixels),
            "pixels_median": float(np.median(pixels)),
            "pixels_max": max(pixels),
        },
        "normal_is_higher_auc": {name: give_away(part, name) for name in PROPERTIES},
        "medians": {
            name: {c: float(np.median(v[of[c]])) if of[c].any() else None for c in CLASSES}
            for name, v in values.items()
        },
    }


def give_away(part: Sequence[Measured], name: str) -> float | None:
    """Probability that a NORMAL radiograph has more of a property than a PNEUMONIA one.

    0.5 tells nothing; None when a class is missing.
    """
    normal = [one.sample.label == 0 for one in part]
    if len(set(normal)) < 2:
        return None
    return float(roc_auc_score(normal, [getattr(one, name) for one in part]))


def _identical(part: Iterable[Measured]) -> list[list[Measured]]:
    """The sets of two or more pixel-identical radiographs."""
    by_pixels = defaultdict(list)
    for one in part:
        by_pixels[one.digest].append(one)
    return [same for same in by_pixels.values() if len(same) > 1]


def _mixed(sets: Iterable[Sequence[Measured]], value: Callable[[Measured], object]) -> int:
    """How many of the sets have more than one value."""
    return sum(len({value(one) for one in same}) > 1 for same in sets)
