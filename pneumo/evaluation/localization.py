"""Does a network's evidence come from the lungs, and tell which? Measured with drawn fields."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from scipy.stats import t

from pneumo.data import dataset
from pneumo.data.composites import joined, middle
from pneumo.data.memory import logits
from pneumo.data.painting import lung_boxes
from pneumo.evaluation.metrics import auc, auc_interval
from pneumo.evaluation.thresholds import proportion
from pneumo.models.checkpoint import load
from pneumo.reading.explanation import evidence
from pneumo.reading.reader import Reader

# Mid grey; the same for both classes, so that the paint itself says nothing.
PAINT = 128


def only_lungs(square: np.ndarray, lungs: np.ndarray) -> np.ndarray:
    """The film with everything but its lungs painted grey; uint8 (S, S), mask 0 or 255."""
    grown = cv2.dilate(lungs, np.ones((5, 5), np.uint8))
    return np.where(grown > 127, square, PAINT).astype(np.uint8)


def boxed_lungs(square: np.ndarray, lungs: np.ndarray) -> np.ndarray:
    """The film with the upright box around each of its lungs painted, a twentieth wider.

    No outline is left, but the boxes' size is, and it tells the classes apart by itself.
    """
    painted = square.copy()
    for box in lung_boxes(lungs, margin=square.shape[0] // 20):
        painted[box] = PAINT
    return painted


def common_field(lungs: Sequence[np.ndarray]) -> np.ndarray:
    """Where one film in fifty or more has lung: bool (S, S), from uint8 masks (S, S).

    One shape to paint over in all films says nothing about any of them, unlike their own lungs'.
    """
    return np.mean([mask > 127 for mask in lungs], axis=0) >= 0.02


def paint_field(squares: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Films uint8 (N, S, S) with the field, bool (S, S), painted grey."""
    return np.where(field, PAINT, squares).astype(np.uint8)


def heat_in_lungs(heat: np.ndarray, lungs: np.ndarray) -> tuple[float, bool]:
    """Share of the positive evidence that lies in the lungs, and whether its peak does.

    Args:
        heat: float32, (h, w), signed evidence.
        lungs: uint8, (S, S), 0 or 255.

    Returns:
        share 0 to 1 (0 when there is no positive evidence), and the peak's place.
    """
    positive = np.maximum(_enlarged(heat, lungs), 0)
    inside = lungs > 127
    peak = np.unravel_index(int(positive.argmax()), positive.shape)
    return float(positive[inside].sum() / max(float(positive.sum()), 1e-9)), bool(inside[peak])


def heat_in_half(heat: np.ndarray, lungs: np.ndarray, left: bool) -> float:
    """Share, 0 to 1, of the positive evidence on one side of the lungs' middle.

    Args:
        heat: float32, (h, w), signed evidence.
        lungs: uint8, (S, S), 0 or 255.
        left: as the picture shows it.
    """
    positive = np.maximum(_enlarged(heat, lungs), 0)
    split = round(middle(lungs))
    there = positive[:, :split] if left else positive[:, split:]
    return float(there.sum() / max(float(positive.sum()), 1e-9))


def _enlarged(heat: np.ndarray, lungs: np.ndarray) -> np.ndarray:
    return cv2.resize(heat, lungs.shape[::-1], interpolation=cv2.INTER_LINEAR)


def lung_table(
    model: str, root: Path, masks: Path, folder: Path | None = None
) -> dict:
    """The measures on the validation films that have a mask; never on trained-on films.

    Returns:
        n, pneumonias, true_positives, heat_in_lungs and peak_in_lung (means over true
        positives), auc, auc_only_lungs, auc_without_lungs (the field common to all films
        painted over, which is `painted` of the picture; `lung_left` is the mean share of a
        film's lungs that it does not cover), the same of all validation films, which this paint
        needs no masks of (auc_without_lungs_everyone, of `everyone` films), and, for
        comparison, auc_boxed_lungs (each film's own boxes) with auc_box_size, what the size of
        those boxes tells without any network; heat_in_ill_half, of films of two halves
        (each pneumonia's left half beside a normal film's right one, and the other way about), the
        share of the heat that lies in the ill half: the mean of both ways, each over those of these
        `two_halves` films that are called pneumonia, `halves_called` [left ill, right ill]. So
        heat that always lies in the same place has 0.5, whatever is called; absent where none is
        called of one way. And `intervals`, 95 %, of the measures: [low, high] of heat in the lungs
        by Student's t, of the peak by Clopper and Pearson, of the others by bootstrap, of films
        or, for the halves, of pneumonias.

    Raises:
        DataError: when no validation film has a mask.
        CheckpointError: when the checkpoint must not be used.
    """
    reader = Reader(load(model, folder), guard=False)
    preprocessing, network = reader.checkpoint.preprocessing, reader.checkpoint.network
    recipe = reader.checkpoint.card["training"]["recipe"]
    table = dataset.films(root, "train")
    trained_on, held_out = dataset.validation_split(table, 0, recipe["folds"], recipe["fold"])
    lungs = dataset.load_lungs(held_out, masks, preprocessing)
    chosen = [held_out[i] for i in lungs]
    squares = dataset.load_squares(chosen, preprocessing)
    others = dataset.load_lungs(trained_on, masks, preprocessing)
    common = common_field(list(others.values()))
    y = dataset.labels(chosen)
    found = _measure(reader, network, squares, list(lungs.values()), y, common)
    everyone = paint_field(dataset.load_squares(held_out, preprocessing), common)
    everyone = auc_interval(dataset.labels(held_out), logits(network, everyone, preprocessing))
    found["auc_without_lungs_everyone"] = everyone["value"]
    found["intervals"]["auc_without_lungs_everyone"] = [everyone["low"], everyone["high"]]
    return {"model": model, "n": len(chosen), "everyone": len(held_out), **found}


def _measure(
    reader: Reader, network, squares: np.ndarray, lungs: Sequence[np.ndarray], y: np.ndarray,
    common: np.ndarray,
) -> dict:
    preprocessing = reader.checkpoint.preprocessing
    shares, peaks = [], []
    for square, mask, label in zip(squares, lungs, y, strict=True):
        if label and (heat := _heat_of_called(reader, square)) is not None:
            share, peak = heat_in_lungs(heat, mask)
            shares.append(share)
            peaks.append(peak)
    halves, side = told_side(sides(reader, squares, lungs, y))

    def painted(paint) -> np.ndarray:
        return np.stack([paint(s, m) for s, m in zip(squares, lungs, strict=True)])

    boxed = painted(boxed_lungs)
    box_size = (boxed != squares).mean((1, 2))
    areas = {
        name: auc_interval(y, logits(network, films, preprocessing))
        for name, films in (
            ("auc", squares), ("auc_only_lungs", painted(only_lungs)),
            ("auc_without_lungs", paint_field(squares, common)),
            ("auc_boxed_lungs", boxed),
        )
    }

    return {
        "pneumonias": int(y.sum()),
        "true_positives": len(shares),
        "heat_in_lungs": float(np.mean(shares)) if shares else float("nan"),
        "peak_in_lung": float(np.mean(peaks)) if peaks else float("nan"),
        **halves,
        "lung_area": float(np.mean([(m > 127).mean() for m in lungs])),
        **{name: found["value"] for name, found in areas.items()},
        "painted": float(common.mean()),
        "lung_left": float(np.mean([(m > 127)[~common].sum() / (m > 127).sum() for m in lungs])),
        "auc_box_size": auc(y, box_size),
        "intervals": {
            **_of_means(shares, peaks), **side,
            **{name: [found["low"], found["high"]] for name, found in areas.items()},
        },
    }


def _heat_of_called(reader: Reader, square: np.ndarray) -> np.ndarray | None:
    """The evidence, (h, w), for a film that is called pneumonia; None for others."""
    checkpoint = reader.checkpoint
    logit, heat = evidence(checkpoint.network, checkpoint.preprocessing.tensor(square))
    called = reader.calibration.probability(float(logit[0])) >= reader.threshold
    return heat[0].numpy() if called else None


def sides(
    reader: Reader, squares: np.ndarray, lungs: Sequence[np.ndarray], y: np.ndarray
) -> np.ndarray:
    """Share of the heat in the ill half of films of two halves that are called pneumonia.

    Each pneumonia's left half is joined with the right half of a normal film, and the other way
    about; normal films take turns.

    Args:
        reader: whose network and balanced threshold are asked.
        squares: uint8, (N, S, S).
        lungs: uint8, (S, S), 0 or 255, of each.
        y: int64, (N,), 1 for pneumonia.

    Returns:
        float64, (pneumonias, 2): with the left and the right half ill; not a number where the film
        is not called pneumonia, or there is no normal one.
    """
    normal, ill = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
    shares = np.full((len(ill), 2), np.nan)
    for turn, i in enumerate(ill if len(normal) else ()):
        other = normal[turn % len(normal)]
        for way, left in enumerate((True, False)):
            film, _, _ = joined(squares[i], lungs[i], squares[other], lungs[other], left)
            if (heat := _heat_of_called(reader, film)) is not None:
                shares[turn, way] = heat_in_half(heat, lungs[i], left)
    return shares


def told_side(shares: np.ndarray) -> tuple[dict, dict[str, list[float]]]:
    """What `sides` found, for the table: heat_in_ill_half, two_halves, halves_called; and its
    interval."""
    called = np.isfinite(shares)
    found = {"two_halves": shares.size, "halves_called": called.sum(0).tolist()}
    if not called.any(0).all():
        return found, {}
    rng = np.random.default_rng(0)
    drawn = shares[rng.integers(len(shares), size=(2000, len(shares)))]
    counts = np.isfinite(drawn).sum(1)
    # A draw in which nothing is called of one way says nothing.
    means = (np.nansum(drawn, 1) / np.maximum(counts, 1))[counts.all(1)].mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    value = float(np.nanmean(shares, 0).mean())
    return ({"heat_in_ill_half": value, **found},
            {"heat_in_ill_half": [float(low), float(high)]})


def _of_means(shares: Sequence[float], peaks: Sequence[bool]) -> dict[str, list[float]]:
    """95 % intervals of where the heat lies; none of fewer than two films."""
    n = len(shares)
    if n < 2:
        return {}
    mean, error = np.mean(shares), np.std(shares, ddof=1) / np.sqrt(n)
    low, high = (float(np.clip(mean + t.ppf(q, n - 1) * error, 0, 1)) for q in (0.025, 0.975))
    peak = proportion(sum(peaks), n)
    return {"heat_in_lungs": [low, high], "peak_in_lung": [peak["low"], peak["high"]]}
