"""Metrics of a reader on labelled films, each with a bootstrap 95 % interval."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.metrics import roc_auc_score

RESAMPLES = 2000


def confusion(labels: np.ndarray, calls: np.ndarray) -> dict[str, int]:
    """Counts of true and false positives and negatives; both arrays 0/1, (N,)."""
    labels, calls = np.asarray(labels, bool), np.asarray(calls, bool)
    return {
        "true_positive": int((labels & calls).sum()),
        "false_negative": int((labels & ~calls).sum()),
        "true_negative": int((~labels & ~calls).sum()),
        "false_positive": int((~labels & calls).sum()),
    }


def expected_calibration_error(
    labels: np.ndarray, probabilities: np.ndarray, bins: int = 10,
    weights: np.ndarray | None = None,
) -> float:
    """Mean gap between probability of pneumonia and its frequency (Naeini et al. 2015).

    Args:
        labels: 0/1, (N,).
        probabilities: of pneumonia, (N,), 0 to 1.
        bins: of equal width over 0 to 1; empty ones count nothing.
        weights: of the films, (N,), above 0; alike when not given.
    """
    place = np.minimum((np.asarray(probabilities) * bins).astype(int), bins - 1)
    weights = np.ones(len(place)) if weights is None else np.asarray(weights)
    excess = weights * (np.asarray(labels) - np.asarray(probabilities))
    gaps = np.bincount(place, excess, minlength=bins)
    return float(np.abs(gaps).sum() / weights.sum())


def reliability(labels: np.ndarray, probabilities: np.ndarray, bins: int = 10) -> list[dict]:
    """What a reliability diagram shows: per bin of probability, how often pneumonia was there.

    Returns:
        {"low", "high", "n", "probability": mean, "frequency"} of every bin that holds a film.
    """
    y, p = np.asarray(labels), np.asarray(probabilities)
    place = np.minimum((p * bins).astype(int), bins - 1)
    return [
        {
            "low": i / bins, "high": (i + 1) / bins, "n": int((place == i).sum()),
            "probability": float(p[place == i].mean()), "frequency": float(y[place == i].mean()),
        }
        for i in range(bins)
        if (place == i).any()
    ]


def auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve; nan when a class is missing."""
    labels = np.asarray(labels)
    return float(roc_auc_score(labels, scores)) if 0 < labels.sum() < len(labels) else float("nan")


def _measures(threshold: float) -> dict[str, Callable[[np.ndarray, np.ndarray], float]]:
    def share(of: int | None) -> Callable[[np.ndarray, np.ndarray], float]:
        def measure(y: np.ndarray, p: np.ndarray) -> float:
            right = (p >= threshold) == (y == 1)
            chosen = right if of is None else right[y == of]
            return float(chosen.mean()) if len(chosen) else float("nan")

        return measure

    return {
        "accuracy": share(None),
        "sensitivity": share(1),
        "specificity": share(0),
        "auc": auc,
        "brier": lambda y, p: float(np.mean((p - y) ** 2)),
        "ece": expected_calibration_error,
    }


def score(
    labels: np.ndarray,
    probabilities: np.ndarray,
    threshold: float,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict:
    """Accuracy, sensitivity, specificity, AUC, Brier score and ECE with intervals.

    The intervals are percentile bootstrap (Efron 1979), 2.5 to 97.5 %, films resampled within
    each class so that every resample has both.

    Args:
        labels: 0/1, (N,), 1 for pneumonia.
        probabilities: calibrated, of pneumonia, (N,).
        threshold: probability at or above which a film is called pneumonia.
        resamples: bootstrap samples.
        seed: of the bootstrap.

    Returns:
        {"n", "positives", "threshold", "confusion": counts, "confusion_intervals":
        {count: {"low", "high"}}, and for each measure {"value", "low", "high"}}.
    """
    y, p = np.asarray(labels, np.int64), np.asarray(probabilities, np.float64)
    measures = _measures(threshold)
    rng = np.random.default_rng(seed)
    positives, negatives = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    drawn: dict[str, list[float]] = {name: [] for name in measures}
    counts: list[list[int]] = []
    for _ in range(resamples):
        pick = np.concatenate([rng.choice(g, len(g)) for g in (positives, negatives) if len(g)])
        for name, measure in measures.items():
            drawn[name].append(measure(y[pick], p[pick]))
        counts.append(list(confusion(y[pick], p[pick] >= threshold).values()))
    result: dict = {
        "n": len(y),
        "positives": int(y.sum()),
        "threshold": float(threshold),
        "confusion": confusion(y, p >= threshold),
    }
    edges = np.percentile(counts, (2.5, 97.5), axis=0).T
    result["confusion_intervals"] = {
        name: {"low": float(low), "high": float(high)}
        for name, (low, high) in zip(result["confusion"], edges, strict=True)
    }
    for name, measure in measures.items():
        low, high = np.percentile(drawn[name], (2.5, 97.5))
        result[name] = {"value": measure(y, p), "low": float(low), "high": float(high)}
    return result
