"""What an image looks like from afar: 768 numbers of a thumbnail, and how turning it moves them.

A coarse grey copy and histograms of gradient directions (Dalal and Triggs 2005). Brightness,
contrast and fine detail hardly matter, so that a small, dark or compressed copy of a radiograph is
described alike. Turning or mirroring an image only permutes its numbers.
"""

import cv2
import numpy as np

from pneumo.reading.quality import reduced

SIDE = 64  # of the thumbnail, pixels
GREY = 16  # of the grey copy
CELLS = 8  # of the grid of histograms
DIRECTIONS = 8  # of gradients, the first to the right, then clockwise
LENGTH = GREY * GREY + DIRECTIONS * CELLS * CELLS
# Added to what is divided by, so that flat images are described by small numbers.
LEAST_SPREAD, LEAST_GRADIENT, LEAST_EDGE = 4.0, 1e-3, 0.03

_ANGLES = 2 * np.pi / DIRECTIONS * np.arange(DIRECTIONS)
_RAYS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1).astype(np.float32)


def thumbnail(pixels: np.ndarray) -> np.ndarray:
    """Squash an image, uint8 (H, W), to the uint8 (SIDE, SIDE) that `describe` takes."""
    small = reduced(pixels, 2 * SIDE)
    how = cv2.INTER_AREA if min(small.shape) >= SIDE else cv2.INTER_LINEAR
    return cv2.resize(small, (SIDE, SIDE), interpolation=how)


def describe(thumbnails: np.ndarray) -> np.ndarray:
    """Describe thumbnails, uint8 (N, SIDE, SIDE), by float32 (N, LENGTH): the grey copies, then
    for every direction a grid of cells."""
    n = len(thumbnails)
    z: np.ndarray = thumbnails.astype(np.float32)
    z -= z.mean((1, 2), keepdims=True)
    z /= z.std((1, 2), keepdims=True) + LEAST_SPREAD
    grey = z.reshape(n, GREY, SIDE // GREY, GREY, SIDE // GREY).mean((2, 4))
    # Smoothed by 1-2-1 in both directions, with one pixel more around for the gradient.
    wide = np.pad(z, ((0, 0), (2, 2), (2, 2)), mode="edge")
    wide = wide[:, :, :-2] + 2 * wide[:, :, 1:-1] + wide[:, :, 2:]
    wide = (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]) / 16
    right = wide[:, 1:-1, 2:] - wide[:, 1:-1, :-2]
    down = wide[:, 2:, 1:-1] - wide[:, :-2, 1:-1]
    gradient = np.stack([right, down], axis=1).reshape(n, 2, SIDE * SIDE)
    strength = np.sqrt((gradient * gradient).sum(1, keepdims=True))
    # Every gradient counts for the directions within 90 degrees, by its strength x cosine squared.
    along = np.maximum(_RAYS @ gradient, 0)
    along *= along
    along /= strength + LEAST_GRADIENT
    step = SIDE // CELLS
    rows = along.reshape(-1, step) @ np.full(step, 1 / step, np.float32)
    cells = rows.reshape(n, DIRECTIONS, CELLS, step, CELLS).mean(3)
    # A cell is compared with the edges in the cells around it.
    edges = np.pad(np.sqrt((cells * cells).sum(1)), ((0, 0), (1, 1), (1, 1)), mode="edge")
    nine = [edges[:, i : i + CELLS, j : j + CELLS] for i in range(3) for j in range(3)]
    cells /= np.mean(nine, axis=0)[:, None] + LEAST_EDGE
    return _joined(grey, cells)


def turned(described: np.ndarray, quarters: int) -> np.ndarray:
    """The descriptions, (N, LENGTH), of the same images turned anticlockwise by 0 to 3 quarters."""
    grey, cells = _parts(described)
    # What points in a direction now pointed so many directions further clockwise before.
    before = (np.arange(DIRECTIONS) + quarters * DIRECTIONS // 4) % DIRECTIONS
    return _joined(np.rot90(grey, quarters, (1, 2)), np.rot90(cells[:, before], quarters, (2, 3)))


def mirrored(described: np.ndarray) -> np.ndarray:
    """The descriptions of the same images mirrored left to right; (N, LENGTH) both."""
    grey, cells = _parts(described)
    before = (DIRECTIONS // 2 - np.arange(DIRECTIONS)) % DIRECTIONS
    return _joined(grey[..., ::-1], cells[:, before, :, ::-1])


def _parts(described: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    grey, cells = np.split(described, [GREY * GREY], axis=1)
    return grey.reshape(-1, GREY, GREY), cells.reshape(-1, DIRECTIONS, CELLS, CELLS)


def _joined(grey: np.ndarray, cells: np.ndarray) -> np.ndarray:
    return np.concatenate([grey.reshape(len(grey), -1), cells.reshape(len(cells), -1)], axis=1)
