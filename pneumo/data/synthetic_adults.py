"""Synthetic normal adults that come with the package; tools/synthetic/adults.py draws them.

The dataset has children only. A network that never saw an adult takes an adult's normal lungs for
pneumonia, and what it then shows of an opacity in one lung lies in both.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

FILE = Path(__file__).with_name("synthetic_adults.jpg")
COLUMNS, SIDE = 20, 160  # radiographs in a row and in a column of the sheet; pixels


def synthetic_adults() -> np.ndarray:
    """The radiographs: uint8, (COLUMNS * COLUMNS, SIDE, SIDE)."""
    sheet = np.asarray(cv2.imread(str(FILE), cv2.IMREAD_GRAYSCALE), np.uint8)
    rows = sheet.reshape(COLUMNS, SIDE, COLUMNS, SIDE).swapaxes(1, 2)
    return np.ascontiguousarray(rows.reshape(-1, SIDE, SIDE))
