"""Does a network read sharpness and compression instead of the lungs? Measured on validation.

In the train split NORMAL films were compressed less than PNEUMONIA films, so a network can learn
"sharp is normal". Three measurements tell whether it did: its AUC among films that are equally
sharp, what it says of films recompressed to one size, and how far JPEG alone moves its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from pneumo.data import dataset
from pneumo.data.memory import logits
from pneumo.data.transforms import jpeg
from pneumo.evaluation.metrics import auc, auc_interval, confusion
from pneumo.imaging.polarity import bones_bright
from pneumo.imaging.radiograph import read_radiograph
from pneumo.models.checkpoint import load
from pneumo.reading.reader import Reader

# About what the PNEUMONIA films of the train split and all of the official test split were saved
# with; the NORMAL films of train had three times as much.
BYTES_PER_PIXEL = 0.08
QUALITIES = (20, 40, 60, 80, 95)
STRATA = ("least sharp third", "middle third", "sharpest third")
STEPS = 3 + len(QUALITIES)
# Of a class, for an AUC among films of one third: the ranks of fewer tell nothing.
FEWEST = 10


def sharpness(square: np.ndarray) -> float:
    """Variance of the Laplacian, in squared grey levels; uint8 (S, S)."""
    return float(cv2.Laplacian(square, cv2.CV_64F).var())


def quality_for(film: np.ndarray, bytes_per_pixel: float = BYTES_PER_PIXEL) -> int:
    """The JPEG quality, 1 to 100, whose file comes nearest to so many bytes per pixel.

    Args:
        film: uint8, (H, W).
        bytes_per_pixel: of the whole file, its header included.
    """

    def size(quality: int) -> int:
        return len(cv2.imencode(".jpg", film, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])

    wanted, low, high = bytes_per_pixel * film.size, 1, 100
    while high - low > 1:  # a file only grows with its quality
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) <= wanted else (low, middle)
    return min((low, high), key=lambda quality: abs(size(quality) - wanted))


def strata_table(labels: np.ndarray, probabilities: np.ndarray, sharp: np.ndarray) -> list[dict]:
    """AUC within thirds of equal sharpness, all films pooled before they are cut in three.

    Args:
        labels: 0/1, (N,).
        probabilities: of pneumonia, (N,).
        sharp: sharpness of each film, (N,).

    Returns:
        {"stratum", "n", "positives", "sharpness": [lowest, highest], "auc": {"value", "low",
        "high"} or None where a class has less than `FEWEST` films, "auc_sharpness": of
        blurredness alone, or None}.
    """
    rows = []
    for name, part in zip(STRATA, np.array_split(np.argsort(sharp, kind="stable"), 3), strict=True):
        y = labels[part]
        both = FEWEST <= y.sum() <= len(y) - FEWEST
        rows.append({
            "stratum": name, "n": len(part), "positives": int(y.sum()),
            "sharpness": [float(sharp[part].min()), float(sharp[part].max())],
            "auc": auc_interval(y, probabilities[part]) if both else None,
            "auc_sharpness": auc(y, -sharp[part]) if both else None,
        })
    return rows


def moved(before: np.ndarray, after: np.ndarray, threshold: float) -> dict[str, float]:
    """How far probabilities moved: mean and 95th percentile of |change|, share of calls flipped."""
    change = np.abs(after - before)
    return {
        "mean_change": float(change.mean()),
        "change_95": float(np.percentile(change, 95)),
        "flipped": float(((before >= threshold) != (after >= threshold)).mean()),
    }


def shortcut_table(
    model: str, root: Path, folder: Path | None = None,
    progress: Callable[[], object] = lambda: None,
) -> dict:
    """All measurements on the validation films of `root/train`; never on trained-on or test films.

    Args:
        model: registered name.
        root: dataset.
        folder: of checkpoints.
        progress: called `STEPS` times.

    Returns:
        {"n", "auc", "auc_sharpness", "strata": as `strata_table` gives them, "recompressed":
        {"bytes_per_pixel", "quality": median, "before" and "after": {"auc", "sensitivity",
        "specificity"}}, "jpeg": [{"quality", "mean_change", "change_95", "flipped"}]}; calls at
        the balanced operating point.

    Raises:
        DataError, CheckpointError: each with a sentence.
    """
    reader = Reader(load(model, folder), guard=False)
    recipe = reader.checkpoint.card["training"]["recipe"]
    _, held_out = dataset.validation_split(
        dataset.films(root, "train"), 0, recipe["folds"], recipe["fold"]
    )
    y = dataset.labels(held_out)
    films = [read_radiograph(film.path).pixels for film in held_out]
    squares = _squares(reader, films)
    before = _probabilities(reader, squares)
    progress()
    sharp = np.array([sharpness(square) for square in squares])
    strata = strata_table(y, before, sharp)
    progress()
    qualities = [quality_for(film) for film in films]
    alike = [jpeg(film, quality) for film, quality in zip(films, qualities, strict=True)]
    after = _probabilities(reader, _squares(reader, alike))
    progress()
    rows = []
    for quality in QUALITIES:
        coded = _probabilities(reader, _squares(reader, [jpeg(film, quality) for film in films]))
        rows.append({"quality": quality, **moved(before, coded, reader.threshold)})
        progress()
    return {
        "n": len(y), "auc": auc(y, before), "auc_sharpness": auc(y, -sharp), "strata": strata,
        "recompressed": {
            "bytes_per_pixel": BYTES_PER_PIXEL, "quality": float(np.median(qualities)),
            "before": _rates(y, before, reader.threshold),
            "after": _rates(y, after, reader.threshold),
        },
        "jpeg": rows,
    }


def _squares(reader: Reader, films: Sequence[np.ndarray]) -> np.ndarray:
    """The way of a user's film from its pixels on: turned if stored inverted, then squared."""
    square = reader.checkpoint.preprocessing.square
    return np.stack([square(bones_bright(film)[0]) for film in films])


def _probabilities(reader: Reader, squares: np.ndarray) -> np.ndarray:
    checkpoint = reader.checkpoint
    values = logits(checkpoint.network, squares, checkpoint.preprocessing)
    return reader.calibration.probability(values)


def _rates(y: np.ndarray, probabilities: np.ndarray, threshold: float) -> dict[str, float]:
    counts = confusion(y, probabilities >= threshold)
    return {
        "auc": auc(y, probabilities),
        "sensitivity": counts["true_positive"] / int(y.sum()),
        "specificity": counts["true_negative"] / int((y == 0).sum()),
    }
