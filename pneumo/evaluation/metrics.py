"""Metrics of labelled radiographs, each with a 95 % interval."""

from collections.abc import Callable

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, roc_auc_score

from pneumo.models.card import Confusion, Curve, Estimate, ReliabilityBin, Scores
from pneumo.models.probability import at_prevalence

RESAMPLES = 1000
BINS = 10


def auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve; nan when a class is missing."""
    labels = np.asarray(labels)
    return float(roc_auc_score(labels, scores)) if 0 < labels.sum() < len(labels) else float("nan")


def proportion(successes: float, n: float) -> Estimate:
    """A share of n > 0 with its exact 95 % interval (Clopper and Pearson 1934).

    Both numbers are fractions where they are means over copies of radiographs.
    """
    value, whole = successes / n, max(1, round(n))
    interval = binomtest(round(value * whole), whole).proportion_ci(0.95, method="exact")
    return Estimate(value, min(float(interval.low), value), max(float(interval.high), value), whole)


def bootstrap_weights(labels: np.ndarray, groups: np.ndarray | None = None) -> np.ndarray:
    """How often each radiograph is in each bootstrap sample (Efron 1979): (`RESAMPLES`, N).

    Patients (`groups`, (N,)) are drawn with all their radiographs, within each class.
    """
    rng = np.random.default_rng(0)
    groups = np.arange(len(labels)) if groups is None else np.asarray(groups)
    weights = np.empty((RESAMPLES, len(labels)))
    for label in np.unique(labels):
        part = np.flatnonzero(labels == label)
        names, member = np.unique(groups[part], return_inverse=True)
        drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)
        weights[:, part] = drawn[:, member]
    return weights


def bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray],
    labels: np.ndarray,
    groups: np.ndarray | None = None,
) -> Estimate:
    """A statistic, of rows of weights (R, N) to (R,), with its percentile interval of 95 %."""
    value = float(statistic(np.ones((1, len(labels))))[0])
    low, high = np.nanpercentile(statistic(bootstrap_weights(labels, groups)), (2.5, 97.5))
    return Estimate(value, min(float(low), value), max(float(high), value), len(labels))


def auc_estimate(
    labels: np.ndarray, scores: np.ndarray, groups: np.ndarray | None = None
) -> Estimate:
    """AUC with its bootstrap interval; labels 0/1 with both classes, (N,)."""
    order = np.argsort(scores)
    starts = np.unique(np.asarray(scores)[order], return_index=True)[1]  # of runs of equal scores

    def areas(weights: np.ndarray) -> np.ndarray:
        # As scikit-learn's `roc_auc_score`, which takes seconds for a thousand rows of weights.
        positive, negative = (
            np.add.reduceat((weights * (labels == label))[:, order], starts, axis=1)
            for label in (1, 0)
        )
        below = np.cumsum(negative, 1) - negative / 2
        return (positive * below).sum(1) / (positive.sum(1) * negative.sum(1))

    return bootstrap(areas, labels, groups)


def calibration_errors(
    labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Expected calibration errors (Naeini et al. 2015) in ten bins of equal width, (R,), of labels
    and probabilities, (N,), for rows of weights, (R, N)."""
    excess = np.zeros((len(labels), BINS))
    excess[np.arange(len(labels)), _bins(probabilities)] = labels - probabilities
    return np.abs(weights @ excess).sum(1) / weights.sum(1)


def score(
    labels: np.ndarray,
    probabilities: np.ndarray,
    threshold: float,
    prevalence: float | None = None,
    groups: np.ndarray | None = None,
) -> Scores:
    """Accuracy, sensitivity, specificity, AUC, Brier score and calibration error with intervals.

    Labels (0/1, both classes), balanced probabilities and patients (`groups`) are (N,). Brier score
    and calibration error take the probability at the prevalence; balanced unless given.
    """
    y, p = np.asarray(labels, np.int64), np.asarray(probabilities, np.float64)
    called = p >= threshold
    shown = p
    if prevalence is not None:
        shown = np.array([at_prevalence(one, prevalence) for one in p.tolist()])

    def mean(values: np.ndarray, among: np.ndarray | None = None) -> Estimate:
        part = np.ones(len(y)) if among is None else among.astype(float)
        found = bootstrap(lambda w: w @ (part * values) / (w @ part), y, groups)
        return Estimate(found.value, found.low, found.high, int(part.sum()))

    (tn, fp), (fn, tp) = confusion_matrix(y, called, labels=(0, 1)).tolist()
    return Scores(
        n=len(y),
        positives=int(y.sum()),
        threshold=float(threshold),
        confusion=Confusion(tp, fn, tn, fp),
        accuracy=mean(called == (y == 1)),
        sensitivity=mean(called, y == 1),
        specificity=mean(~called, y == 0),
        auc=auc_estimate(y, p, groups),
        brier=mean((shown - y) ** 2),
        ece=bootstrap(lambda w: calibration_errors(y, shown, w), y, groups),
        prevalence=prevalence,
    )


def curve(labels: np.ndarray, probabilities: np.ndarray) -> Curve:
    """Sensitivity and specificity at thresholds 0, 0.01 ... 1; a class that is missing has 0."""
    y, thresholds = np.asarray(labels), np.round(np.linspace(0, 1, 101), 2)
    positive, negative = (np.sort(probabilities[y == label]) for label in (1, 0))
    below = [np.searchsorted(part, thresholds) / max(len(part), 1) for part in (positive, negative)]
    return Curve(
        tuple(thresholds.tolist()),
        tuple(np.round(1 - below[0], 4).tolist()),
        tuple(np.round(below[1], 4).tolist()),
    )


def reliability(labels: np.ndarray, probabilities: np.ndarray) -> tuple[ReliabilityBin, ...]:
    """The bins of a reliability diagram that hold a radiograph."""
    y, p = np.asarray(labels), np.asarray(probabilities)
    place = _bins(p)
    return tuple(
        ReliabilityBin(
            i / BINS, (i + 1) / BINS, int(part.sum()), float(p[part].mean()), float(y[part].mean())
        )
        for i in range(BINS)
        if (part := place == i).any()
    )


def _bins(probabilities: np.ndarray) -> np.ndarray:
    return np.minimum((np.asarray(probabilities) * BINS).astype(int), BINS - 1)
