"""Films of two halves: the chest of one child to the left of the spine, another's to the right.

Half of a film with pneumonia beside half of a normal one has a known answer to "on which side?",
which the dataset's labels do not give: whatever speaks for pneumonia lies in the one half.
"""

from __future__ import annotations

import cv2
import numpy as np


def middle(lungs: np.ndarray) -> float:
    """Column that halves the upright box around the lungs; uint8 (S, S), 0 or 255."""
    left, _, width, _ = _box(lungs)
    return left + width / 2


def _box(lungs: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, width and height; of the whole picture when there is no lung."""
    return cv2.boundingRect(lungs) if lungs.any() else (0, 0, *lungs.shape[::-1])


def joined(
    square: np.ndarray, lungs: np.ndarray, other: np.ndarray, other_lungs: np.ndarray, left: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A film with one half replaced by another film's, moved so that the lungs meet.

    The other film is shifted and stretched until its lungs fill the same upright box; both
    halves blend into each other over a tenth of the box, at its middle.

    Args:
        square, lungs: uint8, (S, S); the lungs 0 or 255.
        other, other_lungs: the same of the other film.
        left: the half, as the picture shows it, that stays the film's own.

    Returns:
        film, its lungs, and those of them that lie in its own half, all uint8 (S, S).
    """
    box, other_box = _box(lungs), _box(other_lungs)
    across, down = box[2] / other_box[2], box[3] / other_box[3]
    matrix = np.array([[across, 0, box[0] - across * other_box[0]],
                       [0, down, box[1] - down * other_box[1]]])
    size = square.shape[::-1]
    film, field = (cv2.warpAffine(one, matrix, size, flags=cv2.INTER_LINEAR)
                   for one in (other, other_lungs))
    field = cv2.threshold(field, 127, 255, cv2.THRESH_BINARY)[1]
    # Share of the film's own in each column, 0 to 1.
    columns = np.arange(square.shape[1]) - middle(lungs)
    own = np.clip(0.5 + columns / (0.1 * box[2]), 0, 1).astype(np.float32)
    own = np.tile(1 - own if left else own, (square.shape[0], 1))
    both = cv2.blendLinear(square, film, own, 1 - own)
    mine = np.where(own > 0.5, lungs, 0).astype(np.uint8)
    return both, np.where(own > 0.5, lungs, field).astype(np.uint8), mine
