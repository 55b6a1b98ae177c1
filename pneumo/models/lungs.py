"""The lungs: which pixels of a radiograph are lung; for training, evaluation and screen."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np

from pneumo.models.preprocess import Preprocessing

PREPROCESSING = Preprocessing(size=112)
# Fields smaller than this share of the radiograph are islands, not lungs.
ISLAND = 1 / 100
# Each lung has at least this share; smaller on one side means that no lung was found there.
SMALLEST_LUNG = 1 / 50


class Segmenter(Protocol):
    """Logits of lung: float32 (N, 1, S, S), normalized, to the same shape."""

    def logits(self, values: np.ndarray, /) -> np.ndarray: ...


def find_lungs(segmenter: Segmenter, squares: np.ndarray) -> np.ndarray:
    """Lung fields of squares, uint8 (N, S, S): the same, 0 outside and 255 inside, no islands."""
    result = np.empty_like(squares)
    for i in range(0, len(squares), 64):
        small = np.stack([PREPROCESSING.square(s) for s in squares[i : i + 64]])
        for j, logits in enumerate(segmenter.logits(PREPROCESSING.values(small))[:, 0]):
            result[i + j] = _field(0.5 + 0.5 * np.tanh(0.5 * logits), squares.shape[1])
    return result


def both_lungs(lungs: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The two lungs of a field, uint8 (S, S), 0 or 255: bool (S, S) of the lung on the image's left
    (the patient's right) and of the other one; None unless both are found."""
    count, labels, stats, centers = cv2.connectedComponentsWithStats((lungs > 127).astype(np.uint8))
    if count < 2:
        return None
    left, _, width, _ = cv2.boundingRect((lungs > 127).astype(np.uint8))
    middle = left + width / 2
    sides = [np.zeros(lungs.shape, bool), np.zeros(lungs.shape, bool)]
    for k in range(1, count):
        start, wide = stats[k, cv2.CC_STAT_LEFT], stats[k, cv2.CC_STAT_WIDTH]
        part = labels == k
        # Grown together; a lone lung spans all that was found, too, but not half of the image.
        crosses = start < middle - 0.2 * width and start + wide > middle + 0.2 * width
        if crosses and wide > 0.5 * lungs.shape[1]:
            columns = np.arange(lungs.shape[1]) < middle
            sides[0] |= part & columns
            sides[1] |= part & ~columns
        else:
            sides[int(centers[k][0] >= middle)] |= part
    found = min(side.sum() for side in sides) >= SMALLEST_LUNG * lungs.size
    return (sides[0], sides[1]) if found else None


def _field(probability: np.ndarray, side: int) -> np.ndarray:
    _, labels, stats, _ = cv2.connectedComponentsWithStats((probability > 0.5).astype(np.uint8))
    keep = stats[:, cv2.CC_STAT_AREA] > ISLAND * probability.size
    keep[0] = True  # what is no lung counts in the interpolation at a lung's border
    large = cv2.resize(probability * keep[labels], (side, side), interpolation=cv2.INTER_LINEAR)
    return cv2.threshold(large, 0.5, 255, cv2.THRESH_BINARY)[1].astype(np.uint8)
