"""Robustness to image corruptions: metrics on corrupted validation radiographs."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from tqdm import tqdm

from pneumo.data import dataset
from pneumo.data.dataset import Sample
from pneumo.data.transforms import generator, jpeg
from pneumo.evaluation.metrics import auc
from pneumo.evaluation.predictions import probabilities_of
from pneumo.imaging.radiograph import read_radiograph
from pneumo.models.card import Corruption
from pneumo.models.checkpoint import Checkpoint

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _resized(side: int) -> Change:
    return lambda image, rng: cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


def _rotated(degrees: float) -> Change:
    def rotate(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        height, width = image.shape
        angle = degrees if rng.random() < 0.5 else -degrees
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
        return cv2.warpAffine(image, turn, (width, height))

    return rotate


def _curve(change: Callable[[np.ndarray], np.ndarray]) -> Change:
    table = (np.clip(change(np.linspace(0, 1, 256)), 0, 1) * 255 + 0.5).astype(np.uint8)
    return lambda image, rng: cv2.LUT(image, table)


# Moderate strengths; each radiograph gets the same one whatever its class.
CORRUPTIONS: dict[str, Change] = {
    "none": lambda image, rng: image,
    "JPEG quality 20": lambda image, rng: jpeg(image, 20),
    "JPEG quality 50": lambda image, rng: jpeg(image, 50),
    "JPEG quality 95": lambda image, rng: jpeg(image, 95),
    "blur, sigma 1.5 px": lambda image, rng: cv2.GaussianBlur(image, (0, 0), 1.5),
    "noise, sigma 8 of 255": lambda image, rng: np.clip(
        image + rng.normal(0, 8, image.shape), 0, 255
    ).astype(np.uint8),
    "contrast x 0.6": _curve(lambda x: 0.5 + 0.6 * (x - 0.5)),
    "contrast x 1.4": _curve(lambda x: 0.5 + 1.4 * (x - 0.5)),
    "local contrast (CLAHE)": lambda image, rng: cv2.createCLAHE(2.0, (8, 8)).apply(image),
    "gamma 0.7": _curve(lambda x: x**0.7),
    "gamma 1.4": _curve(lambda x: x**1.4),
    "rotated by 5 degrees": _rotated(5),
    "rotated by 10 degrees": _rotated(10),
    "inverted": lambda image, rng: 255 - image,
    "resized to 64 px": _resized(64),
    "resized to 128 px": _resized(128),
    "resized to 512 px": _resized(512),
    "letterboxed": lambda image, rng: np.pad(image, ((0, 0), (image.shape[1] // 6,) * 2)),
}


def measure(checkpoint: Checkpoint, table: Sequence[Sample]) -> tuple[Corruption, ...]:
    """AUC, sensitivity and specificity after each of `CORRUPTIONS`, at the decisive threshold."""
    labels = dataset.labels(table)
    images = [read_radiograph(sample.path).pixels for sample in table]
    rows = []
    shown = tqdm(CORRUPTIONS.items(), "robustness", leave=False, delay=2, disable=None)
    for number, (name, change) in enumerate(shown):
        changed = [change(image, generator(number, i)) for i, image in enumerate(images)]
        rows.append(rates(name, labels, probabilities_of(checkpoint, changed), checkpoint))
    return tuple(rows)


def rates(
    name: str, labels: np.ndarray, probabilities: np.ndarray, checkpoint: Checkpoint
) -> Corruption:
    """One row of the table."""
    called = probabilities >= checkpoint.card.threshold
    sensitivity, specificity = called[labels == 1].mean(), (~called)[labels == 0].mean()
    area = auc(labels, probabilities)
    return Corruption(name, len(labels), area, float(sensitivity), float(specificity))
