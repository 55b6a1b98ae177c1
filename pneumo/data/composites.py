"""Composites: a pneumonia's hemithorax beside a normal one's, so the diseased side is known."""

import cv2
import numpy as np


def midline(lungs: np.ndarray) -> float:
    """Column that halves the bounding box of the lungs; uint8 (S, S), 0 or 255."""
    left, _, width, _ = bounding_box(lungs)
    return left + width / 2


def bounding_box(lungs: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, width and height of the lungs; of the whole image when there is no lung."""
    if not lungs.any():
        return 0, 0, lungs.shape[1], lungs.shape[0]
    left, top, width, height = cv2.boundingRect(lungs)
    return left, top, width, height


def composite(
    image: np.ndarray,
    lungs: np.ndarray,
    other: np.ndarray,
    other_lungs: np.ndarray,
    left: bool,
    band: tuple[float, float] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A radiograph with one hemithorax, or a band of it, replaced by another patient's.

    The other one is stretched until its lungs fill the same bounding box; they blend over a tenth
    of it. `left`: whether the image's left is kept; `band`: top and bottom of what is replaced, as
    shares of the box's height. Takes and returns uint8 (S, S): image, its lungs, those kept.
    """
    box, other_box = bounding_box(lungs), bounding_box(other_lungs)
    across, down = box[2] / other_box[2], box[3] / other_box[3]
    matrix = np.array(
        [[across, 0, box[0] - across * other_box[0]], [0, down, box[1] - down * other_box[1]]]
    )
    size = image.shape[::-1]
    moved, field = (
        cv2.warpAffine(one, matrix, size, flags=cv2.INTER_LINEAR) for one in (other, other_lungs)
    )
    field = cv2.threshold(field, 127, 255, cv2.THRESH_BINARY)[1]
    columns = np.arange(image.shape[1]) - midline(lungs)
    share = np.clip(0.5 + columns / (0.1 * box[2]), 0, 1).astype(np.float32)
    share = np.tile(1 - share if left else share, (image.shape[0], 1))
    if band is not None:
        rows = (np.arange(image.shape[0]) - box[1]) / max(box[3], 1)
        inside = np.clip(0.5 + np.minimum(rows - band[0], band[1] - rows) / 0.1, 0, 1)
        share = 1 - (1 - share) * inside[:, None].astype(np.float32)
    joined = cv2.blendLinear(image, moved, share, 1 - share)
    kept = np.where(share > 0.5, lungs, 0).astype(np.uint8)
    return joined, np.where(share > 0.5, lungs, field).astype(np.uint8), kept
