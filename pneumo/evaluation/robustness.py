"""What a network still knows of films that were spoiled: the corruption table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from pneumo.data import dataset
from pneumo.data.memory import logits
from pneumo.data.transforms import generator, jpeg
from pneumo.evaluation.metrics import auc
from pneumo.imaging.polarity import bones_bright
from pneumo.imaging.radiograph import read_radiograph
from pneumo.models.checkpoint import load
from pneumo.reading.reader import Reader

Corruption = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _resized(side: int) -> Corruption:
    def corrupt(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return cv2.resize(film, (side, side), interpolation=cv2.INTER_AREA)

    return corrupt


def _rotated(degrees: float) -> Corruption:
    def corrupt(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        height, width = film.shape
        angle = degrees if rng.random() < 0.5 else -degrees
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
        return cv2.warpAffine(film, turn, (width, height))

    return corrupt


def _letterboxed(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return cv2.copyMakeBorder(film, 0, 0, film.shape[1] // 6, film.shape[1] // 6,
                              cv2.BORDER_CONSTANT, value=0)


def _curve(change: Callable[[np.ndarray], np.ndarray]) -> Corruption:
    levels = np.clip(change(np.linspace(0, 1, 256)), 0, 1) * 255
    table = (levels + 0.5).astype(np.uint8)
    return lambda film, rng: cv2.LUT(film, table)


def _noisy(sigma: float) -> Corruption:
    def corrupt(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return np.clip(film + rng.normal(0, sigma, film.shape), 0, 255).astype(np.uint8)

    return corrupt


# Moderate strengths; each film gets the same one whatever its class.
CORRUPTIONS: dict[str, Corruption] = {
    "as it is": lambda film, rng: film,
    "JPEG quality 20": lambda film, rng: jpeg(film, 20),
    "JPEG quality 50": lambda film, rng: jpeg(film, 50),
    "JPEG quality 95": lambda film, rng: jpeg(film, 95),
    "blur, sigma 1.5 px": lambda film, rng: cv2.GaussianBlur(film, (0, 0), 1.5),
    "noise, sigma 8 of 255": _noisy(8),
    "contrast x 0.6": _curve(lambda x: 0.5 + 0.6 * (x - 0.5)),
    "contrast x 1.4": _curve(lambda x: 0.5 + 1.4 * (x - 0.5)),
    "gamma 0.7": _curve(lambda x: x**0.7),
    "gamma 1.4": _curve(lambda x: x**1.4),
    "rotated by 5 degrees": _rotated(5),
    "rotated by 10 degrees": _rotated(10),
    "inverted grey": lambda film, rng: 255 - film,
    "resized to 64 px": _resized(64),
    "resized to 128 px": _resized(128),
    "resized to 512 px": _resized(512),
    "letterboxed": _letterboxed,
}


def corruption_table(
    model: str, root: Path, folder: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> list[dict]:
    """AUC, sensitivity and specificity on spoiled copies of the validation films.

    Films go the way of a user's film from their pixels on: an inverted one is noticed or not.

    Returns:
        {"corruption", "n", "auc", "sensitivity", "specificity"} for each of `CORRUPTIONS`, at the
        balanced operating point.

    Raises:
        DataError, CheckpointError: each with a sentence.
    """
    reader = Reader(load(model, folder), guard=False)
    network, preprocessing = reader.checkpoint.network, reader.checkpoint.preprocessing
    recipe = reader.checkpoint.card["training"]["recipe"]
    table = dataset.films(root, "train")
    _, held_out = dataset.validation_split(table, 0, recipe["folds"], recipe["fold"])
    y, films = dataset.labels(held_out), [read_radiograph(film.path).pixels for film in held_out]
    rows = []
    for number, (name, corrupt) in enumerate(CORRUPTIONS.items()):
        squares = [
            preprocessing.square(bones_bright(corrupt(film, generator(number, i)))[0])
            for i, film in enumerate(films)
        ]
        values = logits(network, np.stack(squares), preprocessing)
        calls = reader.calibration.probability(values) >= reader.threshold
        rows.append({
            "corruption": name, "n": len(y), "auc": auc(y, values),
            "sensitivity": float(calls[y == 1].mean()),
            "specificity": float((~calls)[y == 0].mean()),
        })
        progress()
    return rows
