"""Reads and describes what the input check is fitted on, and the images it is measured with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pneumo.data import dataset
from pneumo.data.dataset import DataError, Sample
from pneumo.data.transforms import generator
from pneumo.evaluation.adults import fitted_patients, patient_of
from pneumo.imaging.polarity import looks_inverted
from pneumo.imaging.radiograph import Radiograph, UnreadableImage, read_radiograph
from pneumo.models.preprocess import Preprocessing
from pneumo.reading.descriptor import describe, thumbnail
from tools.input_check.images import (
    DRAWN,
    MADE,
    Change,
    cropped,
    degraded,
    drawn,
    faint,
    reframed,
    varied,
)

Squares = np.ndarray | list[np.ndarray]  # uint8, (N, SIDE, SIDE)
CHILDREN, ADULTS = "children", "adults"
SIDE = 128  # of the squares of which copies are made, pixels
FOLDS = 10  # of the patient-grouped split; the first is measured, the second sets thresholds
# Copies of a radiograph in the fit; adults are few. Of another image, and of a drawn kind.
CHILD_COPIES, ADULT_COPIES, CROPPED_ADULTS, OTHER_COPIES, DRAWINGS = 2, 12, 4, 3, 80
FEWEST = 10  # of a folder's images; with fewer it is only measured
IMAGES = {".jpeg", ".jpg", ".png", ".bmp", ".tif", ".tiff", ".webp"}


@dataclass(frozen=True, eq=False)
class Material:
    """Descriptions for the fit, and the images that are measured.

    Attributes:
        children, adults, crops, adult_crops: float32, (N, LENGTH).
        adult_groups: patients of `adults`.
        calibration: of the second fold's children, as they are, degraded and faint.
        frames: of the same, reframed.
        others: kind -> descriptions; of folders and drawn ones.
        held_out: population -> radiographs that are measured.
        normal: bool, which of the children held out have no pneumonia.
        not_chest: kind -> radiographs of that folder, or drawn, as they are read.
    """

    children: np.ndarray
    adults: np.ndarray
    adult_groups: np.ndarray
    crops: np.ndarray
    adult_crops: np.ndarray
    calibration: np.ndarray
    frames: np.ndarray
    others: dict[str, np.ndarray]
    held_out: dict[str, list[Radiograph]]
    normal: np.ndarray
    not_chest: dict[str, list[Radiograph]]


def read_material(data: Path, not_chest: Path, adults: Path) -> Material:
    """Read and describe everything.

    Args:
        data: dataset with train/NORMAL and train/PNEUMONIA.
        not_chest: one sub-folder for each kind of image that is no frontal chest radiograph.
        adults: folder with frontal chest radiographs of adults in images/, named PATIENT_NUMBER;
            every second patient is held out.

    Raises:
        DataError: when a folder is missing or empty, or an image cannot be read.
    """
    table = dataset.samples(data, "train")
    folds = [dataset.validation_split(table, folds=FOLDS, fold=fold)[1] for fold in range(2)]
    apart = {one.path for fold in folds for one in fold}
    fit = _load([one for one in table if one.path not in apart])
    second = _load(folds[1])
    images = _images(adults / "images")
    patients = np.array([patient_of(path) for path in images])
    chosen = np.isin(patients, sorted(fitted_patients(images)))
    adult = _load(
        [
            Sample(path, 0, path.stem, "adult")
            for path, fits in zip(images, chosen, strict=True)
            if fits
        ]
    )
    held_out = {
        CHILDREN: [_read(one.path) for one in folds[0]],
        ADULTS: [_read(path) for path, fits in zip(images, chosen, strict=True) if not fits],
    }
    others, kinds = _folders(not_chest)
    for kind in DRAWN:
        drawings = [_bones_bright(drawn(kind, seed)) for seed in range(2 * DRAWINGS)]
        others[kind] = _described(drawings[:DRAWINGS])
        kinds[kind] = [Radiograph(one, "drawn") for one in drawings[DRAWINGS:]]
    for kind, change in MADE.items():
        others[kind] = _copies(fit[::16], 1, change)
        kinds[kind] = changed(held_out[CHILDREN][::3], change)
    return Material(
        children=_with_copies(fit, 1, _ordinary, CHILD_COPIES),
        adults=_with_copies(adult, 3, _ordinary, ADULT_COPIES),
        adult_groups=np.tile(patients[chosen], 1 + ADULT_COPIES),
        crops=_copies(fit, 1, cropped),
        adult_crops=_copies(adult, 3, cropped, CROPPED_ADULTS),
        calibration=np.concatenate([_copies(second, 2, c) for c in (_plain, degraded, faint)]),
        frames=_copies(second, 2, reframed),
        others=others,
        held_out=held_out,
        normal=np.array([one.label == 0 for one in folds[0]]),
        not_chest=kinds,
    )


def changed(radiographs: Sequence[Radiograph], how: Change, count: int = 1) -> list[Radiograph]:
    """Some changed copies of each radiograph, squares of SIDE pixels."""
    return [
        Radiograph(np.ascontiguousarray(how(square, generator(7, index, copy))), "copy")
        for copy in range(count)
        for index, square in enumerate(_squares(radiographs))
    ]


def _folders(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, list[Radiograph]]]:
    """Descriptions and images of every sub-folder's kind."""
    others, kinds = {}, {}
    for sub in sorted(path for path in folder.glob("[!.]*") if path.is_dir()):
        kind = sub.name.replace("_", " ")
        kinds[kind] = [_read(path) for path in _images(sub)]
        if len(kinds[kind]) >= FEWEST:
            others[kind] = _with_copies(_squares(kinds[kind]), 4, varied, OTHER_COPIES)
    if not others:
        raise DataError(
            f"{folder} holds no sub-folder with {FEWEST} images. It needs one for each kind of "
            "image that is no frontal chest radiograph, such as photos/ and hands/."
        )
    return others, kinds


def _copies(squares: Squares, seed: int, change: Change, count: int = 1) -> np.ndarray:
    """Descriptions of changed copies of squares, float32 (count x N, LENGTH)."""
    return _described(
        change(square, generator(seed, index, copy))
        for copy in range(count)
        for index, square in enumerate(squares)
    )


def _with_copies(squares: Squares, seed: int, change: Change, count: int) -> np.ndarray:
    """Descriptions of the squares and of changed copies, float32 ((1 + count) x N, LENGTH)."""
    return np.concatenate([_described(squares), _copies(squares, seed, change, count)])


def _described(squares: Iterable[np.ndarray]) -> np.ndarray:
    return describe(np.stack([thumbnail(square) for square in squares]))


def _plain(square: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return square


def _ordinary(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A copy for the fit: mostly reframed, every sixth faint."""
    return faint(square, rng) if rng.random() < 1 / 6 else reframed(square, rng)


def _bones_bright(pixels: np.ndarray) -> np.ndarray:
    """As the reading of a file leaves an image: what looks inverted is inverted."""
    return 255 - pixels if looks_inverted(pixels) else pixels


def _load(table: Sequence[Sample]) -> np.ndarray:
    return dataset.load_squares(table, Preprocessing(SIDE))


def _squares(radiographs: Iterable[Radiograph]) -> list[np.ndarray]:
    return [Preprocessing(SIDE).square(one.pixels) for one in radiographs]


def _images(folder: Path) -> list[Path]:
    found = [p for p in folder.glob("[!.]*") if p.suffix.lower() in IMAGES]
    if not found:
        raise DataError(f"{folder} holds no images. Please name a folder that does.")
    return sorted(found)


def _read(path: Path) -> Radiograph:
    try:
        return read_radiograph(path)
    except UnreadableImage as error:
        raise DataError(f"{path}: {error.sentence} Remove or replace it.") from None
