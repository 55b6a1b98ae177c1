"""Stored DICOM values to the 8 bits of a screen: modality, window or table, padding, polarity."""

import cv2
import numpy as np

from pneumo.imaging.dicom_header import Header, LookupTable
from pneumo.imaging.scaling import FULL_SCALES, MEANT_SHARE, TAIL_PERCENT, choose_range

WINDOW_NOTE = (
    "The display window stored in the file shows almost nothing of the film, so its greys were "
    "scaled by its contents instead."
)
# A window under which fewer of the film's pixels than this are neither black nor white is wrong.
_MIN_SHOWN = 0.05
_BLOCK = 1 << 22


def show(codes: np.ndarray, header: Header, bits: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Turn stored values into grey pixels as the file asks for them to be shown.

    Everything is computed once for each possible stored value and then looked up, so a film of
    any size costs one pass.

    Args:
        codes: uint8 or uint16, height x width, the stored bits as they are (a signed value in
            two's complement).
        header: How they are meant.
        bits: How many of the bits are used; codes are below ``2**bits``.

    Returns:
        uint8, height x width, bones bright as declared, and notes for the reader.
    """
    levels = np.arange(1 << bits, dtype=np.int32)
    if header.signed:
        levels[1 << (bits - 1) :] -= 1 << bits
    counts = _histogram(codes, 1 << bits)
    padded = np.zeros(levels.shape, bool)
    if header.padding is not None:
        padded = (levels >= header.padding[0]) & (levels <= header.padding[1])
        # A padding value that covers the whole film says nothing.
        padded &= bool(counts[~padded].any())
    counts[padded] = 0
    shares, notes = _asked_for(levels, header), ()
    if shares is not None:
        shown = counts[(shares > 0) & (shares < 1)].sum() / counts.sum()
        if shown < _MIN_SHOWN:
            shares, notes = None, (WINDOW_NOTE,)
    if shares is None:
        shares = _by_content(levels, counts, header, bits)
    if header.photometric == "MONOCHROME1":
        shares = 1 - shares
    table = (np.clip(shares, 0, 1) * 255 + 0.5).astype(np.uint8)
    table[padded] = 0
    return table[codes], notes


def _asked_for(levels: np.ndarray, header: Header) -> np.ndarray | None:
    """The share of white that the file's table or window gives each level, None without either."""
    if header.voi_lut is None and header.window is None:
        return None
    if header.modality_lut is not None:
        values = _look_up(levels, header.modality_lut).astype(np.float64)
    else:
        values = levels * header.slope + header.intercept
    if header.voi_lut is not None:
        greys = _look_up(np.rint(values), header.voi_lut)
        return greys / _full_scale(header.voi_lut)
    return window_shares(values, *header.window)


def window_shares(values: np.ndarray, centre: float, width: float, function: str) -> np.ndarray:
    """The share of white (0 to 1) of modality values under a window (DICOM PS3.3, C.11.2.1.2-3).

    Args:
        values: Any shape, in the unit of ``centre`` and ``width``.
        centre: The value shown as mid-grey.
        width: How many values lie between black and white.
        function: ``"LINEAR"``, ``"LINEAR_EXACT"`` or ``"SIGMOID"``.
    """
    if function == "SIGMOID":
        return 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -500, 500)))
    if function == "LINEAR":
        # The standard counts the width in whole values, ends included.
        centre, width = centre - 0.5, width - 1
    if width <= 0:
        return (values > centre).astype(np.float64)
    return np.clip((values - centre) / width + 0.5, 0, 1)


def _look_up(values: np.ndarray, table: LookupTable) -> np.ndarray:
    places = np.clip(values - table.first, 0, len(table.values) - 1)
    return table.values[places.astype(np.int64)]


def _full_scale(table: LookupTable) -> float:
    """The table's white: its declared depth, unless what it holds contradicts that."""
    declared, largest = (1 << table.bits) - 1, max(int(table.values.max()), 1)
    return declared if MEANT_SHARE * declared <= largest <= declared else largest


def _by_content(levels: np.ndarray, counts: np.ndarray, header: Header, bits: int) -> np.ndarray:
    """The share of white of each level where the file does not say how it is to be shown."""
    if bits <= 8 and not header.signed:
        # As in an 8-bit picture file: what is stored is what is shown.
        shares = levels / ((1 << bits) - 1)
        return 1 - shares if header.slope < 0 else shares
    order = np.argsort(levels, kind="stable")
    total = np.cumsum(counts[order]) / max(counts.sum(), 1)
    tail = TAIL_PERCENT / 100
    ends = levels[order][np.searchsorted(total, (tail, 1 - tail)).clip(0, len(order) - 1)]
    present = levels[counts > 0]
    smallest, largest = int(present.min()), int(present.max())
    # Signed values that dip below zero are held against the whole signed range.
    offset = 1 << (bits - 1) if smallest < 0 else 0
    scales = {*FULL_SCALES, (1 << bits) - 1} if not offset else {(1 << bits) - 1}
    black, white = choose_range(
        tuple(float(end) + offset for end in ends),
        (smallest + offset, largest + offset),
        sorted(scales),
    )
    shares = (levels + offset - black) / (white - black)
    return 1 - shares if header.slope < 0 else shares


def _histogram(codes: np.ndarray, size: int) -> np.ndarray:
    """How often each code occurs, counted in blocks because OpenCV counts in single precision."""
    flat = codes.reshape(1, -1)
    counts = np.zeros(size, np.int64)
    for start in range(0, flat.size, _BLOCK):
        block = flat[:, start : start + _BLOCK]
        counts += cv2.calcHist([block], [0], None, [size], [0, size]).ravel().astype(np.int64)
    return counts
