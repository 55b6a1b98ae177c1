"""Simple facts of an image: size, contrast, flatness, symmetry, edges, burned-in letters."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

# Facts are taken from a copy no larger than this, so that they cost little on any image.
LARGEST_SIDE = 1024
THUMBNAIL = 14


@dataclass(frozen=True)
class Facts:
    """What can be said about an image without knowing what it shows.

    Attributes:
        height, width: of the stored image, pixels.
        contrast: grey levels between the 2nd and the 98th percentile, as a share of all 256.
        letters: letter-like strokes that stand in lines of at least `LINE` of them.
    """

    height: int
    width: int
    contrast: float
    letters: int

    @property
    def aspect(self) -> float:
        """Long side over short side, 1 or more."""
        return max(self.height, self.width) / min(self.height, self.width)

    @property
    def smallest_side(self) -> int:
        """The short side in pixels."""
        return min(self.height, self.width)


def facts_of(pixels: np.ndarray) -> Facts:
    """The facts of an image.

    Args:
        pixels: uint8, height x width.
    """
    height, width = pixels.shape
    small = _shrunk(pixels, LARGEST_SIDE)
    counts = np.bincount(small.ravel(), minlength=256)
    low, high = np.searchsorted(np.cumsum(counts) / small.size, (0.02, 0.98))
    return Facts(height, width, float(high - low) / 255, count_letters(small))


LINE = 4
_TALLEST, _SMALLEST = 0.06, 6  # share of the height; pixels


def count_letters(pixels: np.ndarray) -> int:
    """Counts strokes that look like letters in lines of at least `LINE`, white or black.

    A letter is a small connected patch that stands out sharply from what surrounds it. A single
    side marker is no line, so ordinary radiographs have none.

    Args:
        pixels: uint8, height x width.

    Returns:
        The number of letters in such lines.
    """
    reach = max(9, int(0.03 * min(pixels.shape)) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (reach, reach))
    found = 0
    for how, extreme in ((cv2.MORPH_TOPHAT, pixels >= 200), (cv2.MORPH_BLACKHAT, pixels <= 55)):
        # Letters are burned in at one full level, unlike ribs, vessels and lines.
        mask = (cv2.morphologyEx(pixels, how, kernel) > 60) & extreme
        found += _in_lines(mask.astype(np.uint8))
    return found


def _in_lines(mask: np.ndarray) -> int:
    """Letter-sized patches of a mask that have enough neighbours of their height on their line."""
    _, _, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    width, height, area = boxes[1:, 2], boxes[1:, 3], boxes[1:, 4]
    tall = (height >= _SMALLEST) & (height <= max(_SMALLEST, _TALLEST * mask.shape[0]))
    fill = area / np.maximum(width * height, 1)
    like = boxes[1:][tall & (width <= 1.6 * height) & (fill > 0.15) & (fill < 0.95)]
    if len(like) < LINE or len(like) > 4000:
        return 0 if len(like) < LINE else len(like)
    size = like[:, 3].astype(np.float64)
    middle, left = like[:, 1] + size / 2, like[:, 0].astype(np.float64)
    beside = (
        (np.abs(middle[:, None] - middle) < 0.35 * size[:, None])
        & (np.abs(left[:, None] - left) < 6 * size[:, None])
        & (np.abs(np.log(size[:, None] / size)) < 0.35)
    )
    return int((beside.sum(1) >= LINE).sum())


def describe(square: np.ndarray) -> np.ndarray:
    """What a square image looks like from afar: a small thumbnail and 15 numbers.

    The thumbnail is freed of brightness and contrast. Sharpness counts for little, since an
    image may come as a small or a compressed copy.

    Args:
        square: uint8, (S, S).

    Returns:
        float32, (THUMBNAIL squared + 15,): the thumbnail; shares of black and white; the 5th,
        25th, 50th, 75th and 95th percentile; shares of the commonest level and of flat pixels;
        coarse, fine and upright edges; symmetry left to right and top to bottom; brightness of
        the border.
    """
    tiny = cv2.resize(square, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    tiny = tiny.astype(np.float32)
    tiny = (tiny - tiny.mean()) / (tiny.std() + 4.0)
    return np.concatenate([tiny.ravel(), _numbers(square)]).astype(np.float32)


def _numbers(square: np.ndarray) -> np.ndarray:
    counts = np.bincount(square.ravel(), minlength=256) / square.size
    levels = np.searchsorted(np.cumsum(counts), (0.05, 0.25, 0.5, 0.75, 0.95)) / 255
    calm = cv2.resize(square, (112, 112), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    spread = float(calm.std()) + 0.02
    down, right = np.abs(np.diff(calm, axis=0)), np.abs(np.diff(calm, axis=1))
    coarse = cv2.resize(calm, (28, 28), interpolation=cv2.INTER_AREA)
    rough = np.abs(np.diff(coarse, axis=0)).mean() + np.abs(np.diff(coarse, axis=1)).mean()
    fine = down.mean() + right.mean()
    rim = np.concatenate([coarse[0], coarse[-1], coarse[:, 0], coarse[:, -1]])
    return np.array(
        [
            counts[:4].sum(),
            counts[252:].sum(),
            *levels,
            counts.max(),
            (right < 1 / 255).mean(),
            rough / spread,
            fine / spread,
            (right.mean() - down.mean()) / (fine + 1e-3),
            _likeness(coarse, coarse[:, ::-1]),
            _likeness(coarse, coarse[::-1]),
            (rim.mean() - coarse.mean()) / spread,
        ]
    )


def _likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two images, 0 where one is flat."""
    a, b = one - one.mean(), other - other.mean()
    return float((a * b).sum() / (np.sqrt((a * a).sum() * (b * b).sum()) + 1e-3))


def _shrunk(pixels: np.ndarray, largest: int) -> np.ndarray:
    scale = largest / max(pixels.shape)
    if scale >= 1:
        return pixels
    height, width = (max(1, round(side * scale)) for side in pixels.shape)
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
