"""Does a network's evidence come from the lungs? Measured with drawn lung fields, four ways."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from pneumo.models.checkpoint import load
from pneumo.models.gradcam import evidence
from pneumo.models.reader import Reader
from pneumo.training import dataset
from pneumo.training.memory import logits
from pneumo.training.metrics import auc
from pneumo.training.painting import lung_boxes

# Mid grey; the same for both classes, so that the paint itself says nothing.
PAINT = 128


def only_lungs(square: np.ndarray, lungs: np.ndarray) -> np.ndarray:
    """The film with everything but its lungs painted grey; uint8 (S, S), mask 0 or 255."""
    grown = cv2.dilate(lungs, np.ones((5, 5), np.uint8))
    return np.where(grown > 127, square, PAINT).astype(np.uint8)


def without_lungs(square: np.ndarray, lungs: np.ndarray) -> np.ndarray:
    """The film with its lungs painted over by shapes that do not follow their outline.

    Each lung becomes the upright box around it, a twentieth of the film wider on every side: the
    outline of an opacified lung would otherwise tell what was painted over.
    """
    painted = square.copy()
    for box in lung_boxes(lungs, margin=square.shape[0] // 20):
        painted[box] = PAINT
    return painted


def heat_in_lungs(heat: np.ndarray, lungs: np.ndarray) -> tuple[float, bool]:
    """Share of the positive evidence that lies in the lungs, and whether its peak does.

    Args:
        heat: float32, (h, w), signed evidence.
        lungs: uint8, (S, S), 0 or 255.

    Returns:
        share 0 to 1 (0 when there is no positive evidence), and the peak's place.
    """
    side = lungs.shape[::-1]
    positive = np.maximum(cv2.resize(heat, side, interpolation=cv2.INTER_LINEAR), 0)
    inside = lungs > 127
    peak = np.unravel_index(int(positive.argmax()), positive.shape)
    return float(positive[inside].sum() / max(float(positive.sum()), 1e-9)), bool(inside[peak])


def lung_table(
    model: str, root: Path, masks: Path, folder: Path | None = None
) -> dict[str, float | int | str]:
    """The four measures on the validation films that have a mask; never on trained-on films.

    Returns:
        n, pneumonias, true_positives, heat_in_lungs and peak_in_lung (means over true
        positives), auc, auc_only_lungs, auc_without_lungs.

    Raises:
        DataError: when no validation film has a mask.
        CheckpointError: when the checkpoint must not be used.
    """
    reader = Reader(load(model, folder), guard=False)
    preprocessing, network = reader.checkpoint.preprocessing, reader.checkpoint.network
    recipe = reader.checkpoint.card["training"]["recipe"]
    table = dataset.films(root, "train")
    _, held_out = dataset.validation_split(table, 0, recipe["folds"], recipe["fold"])
    lungs = dataset.load_lungs(held_out, masks, preprocessing)
    chosen = [held_out[i] for i in lungs]
    squares = dataset.load_squares(chosen, preprocessing)
    return {
        "model": model,
        "n": len(chosen),
        **_measure(reader, network, squares, list(lungs.values()), dataset.labels(chosen)),
    }


def _measure(
    reader: Reader, network, squares: np.ndarray, lungs: Sequence[np.ndarray], y: np.ndarray
) -> dict[str, float | int]:
    preprocessing = reader.checkpoint.preprocessing
    shares, peaks = [], []
    for square, mask, label in zip(squares, lungs, y, strict=True):
        logit, heat = evidence(network, preprocessing.tensor(square))
        called = reader.calibration.probability(float(logit[0])) >= reader.threshold
        if label and called:
            share, peak = heat_in_lungs(heat[0].numpy(), mask)
            shares.append(share)
            peaks.append(peak)

    def area(paint) -> float:
        painted = np.stack([paint(s, m) for s, m in zip(squares, lungs, strict=True)])
        return auc(y, logits(network, painted, preprocessing))

    return {
        "pneumonias": int(y.sum()),
        "true_positives": len(shares),
        "heat_in_lungs": float(np.mean(shares)) if shares else float("nan"),
        "peak_in_lung": float(np.mean(peaks)) if peaks else float("nan"),
        "lung_area": float(np.mean([(m > 127).mean() for m in lungs])),
        "auc": auc(y, logits(network, squares, preprocessing)),
        "auc_only_lungs": area(only_lungs),
        "auc_without_lungs": area(without_lungs),
    }
