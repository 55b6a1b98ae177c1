"""Deep pixels (10 to 32 bits, float) to 8 bits by what they hold, so that nothing is clipped."""

from collections.abc import Sequence

import cv2
import numpy as np

# Depths that radiography equipment and picture files store, as their largest value.
FULL_SCALES = tuple(2**bits - 1 for bits in (8, 10, 12, 14, 16, 32))
# An image that spans this share of a depth was meant for that depth; it then comes out exactly as
# its 8-bit export would. One that spans less is a raw export and is stretched.
MEANT_SHARE = 0.4
TAIL_PERCENT = 0.1
_BLOCK_ROWS = 256
_SAMPLE = 1_000_000


def scale_to_eight_bits(values: np.ndarray) -> np.ndarray:
    """Map a deep image (H, W), integer or float, to uint8; what is no number becomes black."""
    return apply_range(values, *display_range(values))


def display_range(values: np.ndarray, scales: Sequence[int] = FULL_SCALES) -> tuple[float, float]:
    """The values to show as black and as white: the smallest full scale that holds every value,
    where the image spans `MEANT_SHARE` of it, else the image's range less 0.1 % at either end."""
    sample = _finite_sample(values)
    if not sample.size:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(sample, (TAIL_PERCENT, 100 - TAIL_PERCENT)))
    smallest, largest = _extremes(values)
    if values.dtype.kind not in "iu":
        scales = (1, *scales)
    fitting = [scale for scale in scales if largest <= scale]
    if smallest >= 0 and fitting and high - low >= MEANT_SHARE * fitting[0]:
        return 0.0, float(fitting[0])
    if high > low:
        return low, high
    return (smallest, largest) if largest > smallest else (smallest - 1.0, smallest + 1.0)


def apply_range(values: np.ndarray, black: float, white: float) -> np.ndarray:
    """Map ``black``..``white`` to 0..255, clipping outside, in blocks that keep memory small."""
    if values.dtype == np.uint8 and (black, white) == (0.0, 255.0):
        return np.ascontiguousarray(values)
    if values.dtype.kind in "iu" and values.dtype.itemsize <= 2:
        info = np.iinfo(values.dtype)
        table = _to_bytes(np.arange(info.min, info.max + 1, dtype=np.float64), black, white)
        unsigned = values.view(values.dtype.str.replace("i", "u"))
        # Negative values wrap to the upper half of the unsigned numbers: so does the table.
        table = np.roll(table, info.min) if info.min else table
        # OpenCV looks up five times as fast as numpy, native numbers in one piece only.
        return cv2.LUT(np.require(unsigned, unsigned.dtype.newbyteorder("="), "C"), table)
    scaled = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), _BLOCK_ROWS):
        rows = slice(top, top + _BLOCK_ROWS)
        # Single precision is ample for what single precision stored, and twice as fast.
        precise = np.float32 if values.dtype == np.float32 else np.float64
        scaled[rows] = _to_bytes(values[rows].astype(precise), black, white)
    return scaled


def _to_bytes(levels: np.ndarray, black: float, white: float) -> np.ndarray:
    np.clip(levels, black, white, out=levels)  # infinities too, but not what is no number
    np.nan_to_num(levels, copy=False, nan=black)
    levels -= black
    levels *= 255 / (white - black)
    levels += 0.5
    return levels.astype(np.uint8)


def _finite_sample(values: np.ndarray) -> np.ndarray:
    """About a million pixels, evenly over the image, as float64; only finite ones."""
    step = max(1, int(np.ceil((values.size / _SAMPLE) ** 0.5)))
    sample = values[::step, ::step].astype(np.float64)
    return sample[np.isfinite(sample)]


def _extremes(values: np.ndarray) -> tuple[float, float]:
    """The smallest and largest finite value of the whole picture."""
    if values.dtype.kind in "iu":
        return float(values.min()), float(values.max())
    pairs = []
    for top in range(0, len(values), _BLOCK_ROWS):
        block = values[top : top + _BLOCK_ROWS]
        block = block[np.isfinite(block)]
        if block.size:
            pairs.append((float(block.min()), float(block.max())))
    return min(p[0] for p in pairs), max(p[1] for p in pairs)
