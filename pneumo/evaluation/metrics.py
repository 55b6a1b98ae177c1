"""Metrics of a reader on labelled films, each with a bootstrap 95 % interval."""

from __future__ import annotations

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
    weights = np.ones(len(labels)) if weights is None else np.asarray(weights)
    return float(_calibration_errors(labels, probabilities, weights[None], bins)[0])


def _calibration_errors(
    labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray, bins: int = 10
) -> np.ndarray:
    place = np.minimum((np.asarray(probabilities) * bins).astype(int), bins - 1)
    excess = np.zeros((len(place), bins))
    excess[np.arange(len(place)), place] = np.asarray(labels) - np.asarray(probabilities)
    return np.abs(weights @ excess).sum(1) / weights.sum(1)


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


def resamples(labels: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """How often each film is in each bootstrap sample (Efron 1979), drawn within each class.

    Args:
        labels: 0/1, (N,).
        count: R, bootstrap samples.
        seed: of the draws.

    Returns:
        float64, (R, N), whole numbers; a row holds as many films of a class as there are.
    """
    rng = np.random.default_rng(seed)
    classes = [group for label in (1, 0) if len(group := np.flatnonzero(labels == label))]
    rows = np.empty((count, len(labels)))
    for row in rows:
        pick = np.concatenate([rng.choice(group, len(group)) for group in classes])
        row[:] = np.bincount(pick, minlength=len(labels))
    return rows


def weighted_auc(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Areas under many ROC curves of the same films, differently weighted, in one pass.

    scikit-learn's takes a millisecond for each; a table of intervals needs twelve thousand.
    Counts pairs in the right order, ties as one half (Mann and Whitney 1947).

    Args:
        labels: 0/1, (N,).
        scores: higher for pneumonia, (N,).
        weights: 0 or more, (R, N).

    Returns:
        float64, (R,); not a number where a class has no weight.
    """
    values, place = np.unique(scores, return_inverse=True)
    ill, well = np.zeros((2, len(weights), len(values)))
    for target, label in ((ill, 1), (well, 0)):
        np.add.at(target.T, place[labels == label], weights[:, labels == label].T)
    pairs = (ill * (well.cumsum(1) - well / 2)).sum(1)
    return pairs / (ill.sum(1) * well.sum(1))


def auc_interval(labels: np.ndarray, scores: np.ndarray, count: int = 1000) -> dict:
    """AUC with its percentile bootstrap 95 % interval, films resampled within each class.

    Args:
        labels: 0/1, (N,), both present.
        scores: higher for pneumonia, (N,).
        count: bootstrap samples.

    Returns:
        {"value", "low", "high"}.
    """
    drawn = weighted_auc(labels, scores, resamples(labels, count))
    low, high = np.percentile(drawn, (2.5, 97.5))
    return {"value": auc(labels, scores), "low": float(low), "high": float(high)}


def _measured(
    y: np.ndarray, p: np.ndarray, threshold: float, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Every measure of every row of weights (R, N): name -> (R,)."""
    right = (p >= threshold) == (y == 1)
    ill, well = weights * (y == 1), weights * (y == 0)
    with np.errstate(invalid="ignore"):  # 0 / 0 where a class is missing: not a number
        return {
            "accuracy": weights @ right / weights.sum(1),
            "sensitivity": ill @ right / ill.sum(1),
            "specificity": well @ right / well.sum(1),
            "auc": weighted_auc(y, p, weights),
            "brier": weights @ (p - y) ** 2 / weights.sum(1),
            "ece": _calibration_errors(y, p, weights),
            "true_positive": ill @ right, "false_negative": ill @ ~right,
            "true_negative": well @ right, "false_positive": well @ ~right,
        }


def score(
    labels: np.ndarray,
    probabilities: np.ndarray,
    threshold: float,
    count: int = RESAMPLES,
    seed: int = 0,
) -> dict:
    """Accuracy, sensitivity, specificity, AUC, Brier score and ECE with intervals.

    The intervals are percentile bootstrap (Efron 1979), 2.5 to 97.5 %, films resampled within
    each class so that every resample has both.

    Args:
        labels: 0/1, (N,), 1 for pneumonia.
        probabilities: calibrated, of pneumonia, (N,).
        threshold: probability at or above which a film is called pneumonia.
        count: bootstrap samples.
        seed: of the bootstrap.

    Returns:
        {"n", "positives", "threshold", "confusion": counts, "confusion_intervals":
        {count: {"low", "high"}}, and for each measure {"value", "low", "high"}}.
    """
    y, p = np.asarray(labels, np.int64), np.asarray(probabilities, np.float64)
    values = _measured(y, p, threshold, np.ones((1, len(y))))
    drawn = _measured(y, p, threshold, resamples(y, count, seed))
    result: dict = {
        "n": len(y),
        "positives": int(y.sum()),
        "threshold": float(threshold),
        "confusion": confusion(y, p >= threshold),
        "confusion_intervals": {},
    }
    for name, value in values.items():
        low, high = (float(edge) for edge in np.percentile(drawn[name], (2.5, 97.5)))
        if name in result["confusion"]:
            result["confusion_intervals"][name] = {"low": low, "high": high}
        else:
            result[name] = {"value": float(value[0]), "low": low, "high": high}
    return result
