"""Lung masking and background swap: augmentations that teach a network to judge by the lungs.

A radiograph whose lungs are painted over gets the label 0.5; one before another's background keeps
its own.
"""

import cv2
import numpy as np

from pneumo.data.transforms import add_noise


def lung_boxes(lungs: np.ndarray, margin: int) -> list[tuple[slice, slice]]:
    """Rows and columns of the upright box around each lung, `margin` pixels wider on every side."""

    def widened(start: int, length: int) -> slice:
        return slice(max(0, start - margin), start + length + margin)

    count, _, boxes, _ = cv2.connectedComponentsWithStats((lungs > 127).astype(np.uint8))
    return [
        (widened(top, height), widened(left, width))
        for left, top, width, height, area in boxes[1:count]
        if area >= lungs.size // 200  # smaller ones are specks
    ]


def mask_lungs(square: np.ndarray, lungs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The radiograph with its lungs painted over, by boxes or a grown outline; uint8, (S, S)."""
    side = square.shape[0]
    if rng.random() < 0.5:
        hidden = lungs.copy()
        for box in lung_boxes(lungs, int(rng.integers(0, side // 12 + 1))):
            hidden[box] = 255
    else:
        hidden = _grown(lungs, int(rng.integers(side // 40, side // 10 + 1)))
    return cv2.copyTo(_paint(square, rng), hidden, square.copy())


def swap_background(
    square: np.ndarray, lungs: np.ndarray, other: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The radiograph's lungs in front of another's surroundings, or of paint; uint8, (S, S)."""
    kept = _grown(lungs, int(rng.integers(0, square.shape[0] // 20 + 1)))
    behind = other.copy() if rng.random() < 0.5 else _paint(square, rng)
    return cv2.copyTo(square, kept, behind)


def _grown(lungs: np.ndarray, by: int) -> np.ndarray:
    """Lungs and what lies within so many pixels of them; uint8, 0 or 255."""
    return cv2.dilate(lungs, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by + 1,) * 2))


def _paint(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random plain grey, noise, or the radiograph blurred beyond recognition."""
    kind = rng.integers(4)
    if kind == 0:
        return cv2.GaussianBlur(square, (0, 0), square.shape[0] / 6)
    level = int(rng.integers(0, 256))
    if kind == 1:
        return add_noise(np.zeros_like(square), rng, level, rng.uniform(5, 60))
    # Mid grey is what others paint with, and what the measure of evidence in the lungs uses.
    return np.full_like(square, level if kind == 2 else 128)
