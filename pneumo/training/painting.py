"""Painted films: lungs hidden, or all but the lungs replaced; how a network learns where to look.

A film whose lungs are painted over can say nothing about pneumonia, and is trained to be called
neither; a film whose surroundings are another child's keeps its label. Both together take away
what a network knows from beside the lungs, which a penalty on the saliency map alone does not.
"""

from __future__ import annotations

import cv2
import numpy as np

from pneumo.training.augment import add_noise


def lung_boxes(lungs: np.ndarray, margin: int = 0) -> list[tuple[slice, slice]]:
    """Rows and columns of the upright box around each lung, `margin` pixels wider on every side.

    Args:
        lungs: uint8, (S, S), 0 outside and 255 inside.
        margin: pixels.

    Returns:
        one pair for each connected field of at least 1/200 of the film; smaller ones are specks.
    """
    count, _, boxes, _ = cv2.connectedComponentsWithStats((lungs > 127).astype(np.uint8))
    return [
        (slice(max(0, top - margin), top + height + margin),
         slice(max(0, left - margin), left + width + margin))
        for left, top, width, height, area in boxes[1:count]
        if area >= lungs.size // 200
    ]


def hide_lungs(square: np.ndarray, lungs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The film with its lungs painted over, by boxes or a grown outline, in a random paint.

    Args:
        square: uint8, (S, S).
        lungs: uint8, (S, S), 0 or 255.
        rng: decides shape, margin and paint.

    Returns:
        uint8, (S, S).
    """
    side = square.shape[0]
    hidden = np.zeros(square.shape, bool)
    if rng.random() < 0.5:
        for box in lung_boxes(lungs, int(rng.integers(0, side // 12 + 1))):
            hidden[box] = True
    else:
        hidden = _grown(lungs, int(rng.integers(side // 40, side // 10 + 1)))
    return np.where(hidden, _paint(square, rng), square)


def replace_surroundings(
    square: np.ndarray, lungs: np.ndarray, other: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The film's lungs in front of another film's surroundings, or of paint.

    Args:
        square: uint8, (S, S).
        lungs: uint8, (S, S), 0 or 255.
        other: uint8, (S, S), a film of any label.
        rng: decides which, and how far beyond the drawn outline the lungs are kept.

    Returns:
        uint8, (S, S).
    """
    kept = _grown(lungs, int(rng.integers(0, square.shape[0] // 20 + 1)))
    behind = other if rng.random() < 0.5 else _paint(square, rng)
    return np.where(kept, square, behind)


def _grown(lungs: np.ndarray, by: int) -> np.ndarray:
    """Lungs and what lies within so many pixels of them, bool; found at half the side, for the time
    grows with the disc's area."""
    inside = lungs > 127
    if by < 2:
        return inside
    side, half = lungs.shape[0], by // 2
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * half + 1, 2 * half + 1))
    small = cv2.resize(lungs, (side // 2, side // 2), interpolation=cv2.INTER_LINEAR)
    grown = cv2.resize(cv2.dilate(small, disc), (side, side), interpolation=cv2.INTER_LINEAR)
    return (grown > 127) | inside


def _paint(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random plain grey, noise, or the film blurred beyond recognition."""
    kind = rng.integers(4)
    if kind == 0:
        return _blurred(square)
    level = int(rng.integers(0, 256))
    if kind == 1:
        return add_noise(np.zeros_like(square), rng, level, rng.uniform(5, 60))
    # Mid grey is what others paint with, and what the measure of evidence in the lungs uses.
    return np.full_like(square, level if kind == 2 else 128)


def _blurred(square: np.ndarray) -> np.ndarray:
    """The film after a Gaussian blur of a sixth of its side, computed on a small copy: on the film
    itself it would take longer than all else that is done to a batch together."""
    side = square.shape[0]
    small = cv2.resize(square, (max(8, side // 8),) * 2, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), small.shape[0] / 6)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)
