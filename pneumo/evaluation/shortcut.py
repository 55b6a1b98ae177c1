"""Shortcut analysis: does a network read sharpness and compression instead of the lungs?

In the train split NORMAL radiographs were compressed less, so a network can learn "sharp is
normal". AUC among equally sharp ones, recompression and the effect of JPEG tell whether it did.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from tqdm import tqdm

from pneumo.data import dataset
from pneumo.data.dataset import Sample
from pneumo.data.transforms import jpeg
from pneumo.evaluation.metrics import auc, auc_estimate
from pneumo.evaluation.predictions import probabilities_of
from pneumo.evaluation.robustness import rates
from pneumo.imaging.radiograph import read_radiograph
from pneumo.models.card import JpegChange, Shortcut, Stratum
from pneumo.models.checkpoint import Checkpoint

# About what PNEUMONIA of the train split and all of the official test split were saved with; NORMAL
# of the train split has three times as much.
BYTES_PER_PIXEL = 0.08
QUALITIES = (20, 40, 60, 80, 95)
STRATA = ("least sharp third", "middle third", "sharpest third")
# Of a class, for an AUC within one third: the ranks of fewer tell nothing.
FEWEST = 10


def measure(checkpoint: Checkpoint, table: Sequence[Sample]) -> Shortcut:
    """All three measurements, at the decisive threshold."""
    labels = dataset.labels(table)
    images = [read_radiograph(sample.path).pixels for sample in table]
    before = probabilities_of(checkpoint, images)
    sharp = np.array([sharpness(checkpoint.preprocessing.square(image)) for image in images])
    qualities = [quality_for(image) for image in images]
    alike = [jpeg(image, quality) for image, quality in zip(images, qualities, strict=True)]
    after = probabilities_of(checkpoint, alike)
    changes = []
    for quality in tqdm(QUALITIES, "shortcut analysis", leave=False, delay=2, disable=None):
        coded = probabilities_of(checkpoint, [jpeg(image, quality) for image in images])
        changes.append(change(quality, before, coded, checkpoint.card.threshold))
    return Shortcut(
        n=len(labels),
        auc=auc(labels, before),
        auc_sharpness=auc(labels, -sharp),
        strata=strata(labels, before, sharp),
        recompressed_quality=float(np.median(qualities)),
        recompressed_before=rates("none", labels, before, checkpoint),
        recompressed_after=rates("recompressed", labels, after, checkpoint),
        jpeg=tuple(changes),
    )


def sharpness(square: np.ndarray) -> float:
    """Variance of the Laplacian, in squared grey levels; uint8 (S, S)."""
    return float(cv2.Laplacian(square, cv2.CV_64F).var())


def quality_for(image: np.ndarray, bytes_per_pixel: float = BYTES_PER_PIXEL) -> int:
    """The JPEG quality, 1 to 100, whose file comes nearest to so many bytes per pixel."""

    def size(quality: int) -> int:
        return len(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])

    wanted, low, high = bytes_per_pixel * image.size, 1, 100
    while high - low > 1:  # a file only grows with its quality
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) <= wanted else (low, middle)
    return min((low, high), key=lambda quality: abs(size(quality) - wanted))


def strata(labels: np.ndarray, probabilities: np.ndarray, sharp: np.ndarray) -> tuple[Stratum, ...]:
    """AUC within thirds of equal sharpness; None where a class has less than `FEWEST`."""
    rows = []
    for name, part in zip(STRATA, np.array_split(np.argsort(sharp, kind="stable"), 3), strict=True):
        y = labels[part]
        network = sharpness_alone = None
        if FEWEST <= y.sum() <= len(y) - FEWEST:
            network, sharpness_alone = auc_estimate(y, probabilities[part]), auc(y, -sharp[part])
        rows.append(Stratum(name, len(part), int(y.sum()), network, sharpness_alone))
    return tuple(rows)


def change(quality: int, before: np.ndarray, after: np.ndarray, threshold: float) -> JpegChange:
    """How far probabilities moved, and which share crossed the threshold."""
    moved, flipped = np.abs(after - before), (before >= threshold) != (after >= threshold)
    numbers = moved.mean(), np.percentile(moved, 95), flipped.mean()
    return JpegChange(quality, *(float(number) for number in numbers))
