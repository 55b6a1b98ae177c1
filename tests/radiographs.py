"""Radiographs for tests: the bundled synthetic ones, in any size."""

import json
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from pneumo.files import bundled_folder


@cache
def example_paths(opacity: bool) -> tuple[Path, ...]:
    """The bundled radiographs, normal or with an opacity; those of the gallery come first."""
    examples = bundled_folder("examples")
    truth = "PNEUMONIA" if opacity else "NORMAL"
    return tuple(
        folder / case["file"]
        for folder in (examples, examples / "teaching")
        for case in json.loads((folder / "cases.json").read_text(encoding="utf-8"))
        if case["truth"] == truth
    )


@cache
def _pixels(path: Path, size: int) -> np.ndarray:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    method = cv2.INTER_AREA if size < len(pixels) else cv2.INTER_CUBIC
    return cv2.resize(pixels, (size, size), interpolation=method)


def synthetic(number: int = 0, size: int = 512, opacity: bool = False) -> np.ndarray:
    """A synthetic radiograph (uint8, (size, size)), normal or with an opacity.

    Each number below 17 is another one; with an opacity, the first has it in the right middle zone.
    """
    return _pixels(example_paths(opacity)[number], size).copy()
