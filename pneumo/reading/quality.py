"""What can be said of an image without knowing what it shows: contrast, detail, burned-in text."""

from dataclasses import dataclass

import cv2
import numpy as np

# Text is sought on a copy whose short side is about this long, pixels.
SHORT_SIDE = 600


@dataclass(frozen=True)
class Text:
    """Characters that stand in lines."""

    longest: int = 0  # of the longest line
    total: int = 0  # of all lines of more than NEIGHBORS characters


def reduced(pixels: np.ndarray, short_side: int = SHORT_SIDE) -> np.ndarray:
    """The image, uint8 (H, W), averaged over squares of whole pixels until its short side is
    `short_side` long to within a third; itself where that is less than half as long again."""
    factor = round(min(pixels.shape) / short_side)
    if factor < 2:
        return pixels
    height, width = (side // factor for side in pixels.shape)
    whole = pixels[: height * factor, : width * factor]
    return cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)


def contrast(pixels: np.ndarray) -> float:
    """Grey levels of an image (uint8) between the 2nd and 98th percentile, as a share of all."""
    counts = cv2.calcHist([pixels], [0], None, [256], [0, 256]).ravel()
    low, high = np.searchsorted(np.cumsum(counts) / pixels.size, (0.02, 0.98))
    return float(high - low) / 255


def detail(thumbnail: np.ndarray) -> float:
    """Spread of what is finer than a twentieth of a thumbnail (uint8), as a share of all spread."""
    grey = thumbnail.astype(np.float32)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), max(grey.shape) / 21)
    return float(fine.std() / (grey.std() + 4))


# A tile of this many pixels may hold text when this share of them lies on a step of so many levels.
TILE, STEP, BUSY = 16, 60, 0.06
# Characters are white or black and stand out from their surroundings by so many levels.
WHITE, BLACK, RELIEF = 160, 95, 60
SHORTEST, TALLEST = 6, 0.06  # pixels; share of the image's height
NEIGHBORS, REACH = 4, 10  # characters beside one, within so many of its heights


def find_text(pixels: np.ndarray) -> Text:
    """Count the characters that stand in lines, white or black.

    A character is a small connected patch that stands out sharply from what surrounds it. It counts
    when at least `NEIGHBORS` others of its height stand beside it, so that side markers do not.
    `pixels` are uint8, (H, W), as `reduced` gives them.
    """
    height, width = pixels.shape
    rows, columns = height // TILE, (width - 2) // TILE
    if rows < 1 or columns < 1:
        return Text()
    # Few tiles of a radiograph have steps enough; only those are looked at closely.
    steps = cv2.absdiff(pixels[::2, 2:], pixels[::2, :-2])
    steps = cv2.threshold(steps, STEP, 255, cv2.THRESH_BINARY)[1]
    steps = steps[: rows * TILE // 2, : columns * TILE]
    busy = cv2.resize(steps, (columns, rows), interpolation=cv2.INTER_AREA) > 255 * BUSY
    joined = cv2.dilate(busy.astype(np.uint8), np.ones((1, 5), np.uint8))
    _, _, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    lines = []
    for left, top, across, down, _ in boxes[1:].tolist():
        # What is left over beyond the last tile may hold the rest of a line.
        last = (top + down + 1) * TILE if top + down < rows - 1 else height
        end = (left + across) * TILE if left + across < columns else width
        part = pixels[max(0, top - 1) * TILE : last, left * TILE : end]
        lines += [_lines(mask, height) for mask in _characters(np.ascontiguousarray(part), height)]
    return Text(max((line.longest for line in lines), default=0), sum(line.total for line in lines))


def _characters(part: np.ndarray, height: int) -> list[np.ndarray]:
    """Masks, uint8 0 or 1, of what is white and of what is black enough in a part of an image."""
    reach = max(9, int(0.03 * height) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (reach, reach))
    masks = []
    for how, extreme in ((cv2.MORPH_TOPHAT, part >= WHITE), (cv2.MORPH_BLACKHAT, part <= BLACK)):
        if extreme.any():
            mask = (cv2.morphologyEx(part, how, kernel) > RELIEF) & extreme
            masks.append(mask.astype(np.uint8))
    return masks


def _lines(mask: np.ndarray, height: int) -> Text:
    """Patches of a mask that have the size of characters and enough of their height beside them."""
    if cv2.countNonZero(mask) <= NEIGHBORS * SHORTEST:
        return Text()
    count, _, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count - 1 <= NEIGHBORS:
        return Text()
    wide, tall, area = boxes[1:, 2], boxes[1:, 3], boxes[1:, 4]
    fill = area / np.maximum(wide * tall, 1)
    sized = (tall >= SHORTEST) & (tall <= max(SHORTEST, TALLEST * height)) & (wide <= 1.6 * tall)
    patches = boxes[1:][sized & (fill > 0.15) & (fill < 0.95)]
    if len(patches) <= NEIGHBORS:
        return Text()
    if len(patches) > 2000:  # A page of text, or noise; comparing all pairs would take long.
        return Text(len(patches), len(patches))
    left, size = patches[:, 0].astype(np.float64), patches[:, 3].astype(np.float64)
    middle, scale = patches[:, 1] + size / 2, np.log(size)
    beside = (
        (np.abs(middle[:, None] - middle) < 0.35 * size[:, None])
        & (np.abs(left[:, None] - left) < REACH * size[:, None])
        & (np.abs(scale[:, None] - scale) < 0.35)
    ).sum(1)  # each counts itself
    return Text(int(beside.max()), int((beside > NEIGHBORS).sum()))
