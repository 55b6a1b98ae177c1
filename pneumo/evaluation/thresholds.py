"""What validation decides about logits: calibration and operating points.

All of it is fitted on degraded copies of the validation films, pooled. Copies of a film are no
new films: wherever the number of observations matters, films are counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve
from sklearn.model_selection import GroupKFold

from pneumo.evaluation.metrics import expected_calibration_error
from pneumo.reading.decision import Calibration

# Least sensitivity and specificity of the operating points named after them.
TARGET = 0.98
FOLDS = 5
# A series of NORMAL films smaller than this says too little to decide by.
FEWEST_OF_A_SERIES = 20


def fit_calibration(values: np.ndarray, labels: np.ndarray) -> Calibration:
    """Platt scaling with the classes weighted alike; logits and 0/1 labels, (N,)."""
    model = LogisticRegression(C=1e6, class_weight="balanced").fit(values[:, None], labels)
    return Calibration(float(model.coef_[0, 0]), float(model.intercept_[0]))


def calibration_check(values: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> dict:
    """How well calibration holds for patients it was not fitted on (cross-fitting).

    Each fold of patients is calibrated by the other folds; the expected calibration error is
    taken over all of them together.

    Args:
        values: logits, float64 (N,).
        labels: 0/1, (N,).
        groups: patient of each, (N,).

    Returns:
        {"ece", "ece_classes_alike", "folds", "rule"}: with every film counted alike, at the
        dataset's own share of pneumonias, and with both classes weighted alike, as the
        calibration is fitted. Both are None when there are too few patients for it.
    """
    folds = min(FOLDS, len(set(groups.tolist())))
    result: dict = {
        "ece": None, "ece_classes_alike": None, "folds": folds,
        "rule": "expected calibration error on validation, each fold of patients calibrated by "
        "the others",
    }
    probabilities = np.full(len(values), np.nan)
    for rest, fold in GroupKFold(folds).split(values, groups=groups) if folds > 1 else ():
        if len(set(labels[rest].tolist())) < 2:
            return result
        probabilities[fold] = fit_calibration(values[rest], labels[rest]).probability(values[fold])
    if np.isnan(probabilities).any():
        return result
    alike = 1 / np.bincount(labels, minlength=2)[labels]
    result["ece"] = expected_calibration_error(labels, probabilities)
    result["ece_classes_alike"] = expected_calibration_error(labels, probabilities, weights=alike)
    return result


def normal_series(
    labels: np.ndarray, series: Sequence[str] | None, copies: int = 1
) -> dict[str, np.ndarray]:
    """Which observations are NORMAL films of which series.

    The NORMAL films come in two series, and one is easy. In cross-validation over blocks of patient
    numbers 2 of the 597 films called IM were taken for pneumonia, of those called NORMAL2-IM 36 of
    744. An average over both is a promise that the harder series breaks; so each counts by itself.

    Args:
        labels: 0/1, (N,), 1 for pneumonia.
        series: of each film, (N,); what it is of a pneumonia does not matter. None: one series.
        copies: how many of the N are one film.

    Returns:
        name -> bool (N,): all of them under "", and, where there are two or more series of at
        least `FEWEST_OF_A_SERIES` films, each of those.
    """
    normal = labels == 0
    found = {} if series is None else {
        name: part for name in sorted({*np.asarray(series)[normal].tolist()} - {""})
        if (part := normal & (np.asarray(series) == name)).sum() >= FEWEST_OF_A_SERIES * copies
    }
    return {"": normal, **(found if len(found) > 1 else {})}


def operating_thresholds(
    probabilities: np.ndarray, labels: np.ndarray, series: Sequence[str] | None = None,
    copies: int = 1,
) -> dict[str, dict]:
    """Thresholds on the calibrated probability, with the rule that gave each.

    balanced: sensitivity and specificity are nearest to each other. high_sensitivity: the
    largest threshold that keeps a sensitivity of `TARGET`, or that halves the misses of the
    balanced one where that asks for more; high_specificity likewise with false alarms. So each
    lies on its side of the balanced one. Specificity is that of the series of NORMAL films in
    which it is lowest (the worst group, as in Sagawa et al. 2020, "Distributionally robust neural
    networks").

    Args:
        probabilities: calibrated, of pneumonia, (N,).
        labels: 0/1, (N,).
        series: of each film, as in `normal_series`.
        copies: how many of the N are one film.

    Returns:
        name -> {"threshold", "rule"}; thresholds from 0.01 to 0.99.
    """
    _, sensitivity, thresholds = roc_curve(labels, probabilities, drop_intermediate=False)
    parts = normal_series(labels, series, copies)
    specificity = np.min([
        np.searchsorted(np.sort(probabilities[part]), thresholds) / part.sum()
        for part in parts.values()
    ], axis=0)
    where = "" if len(parts) < 2 else " in each series of NORMAL films"
    middle = int(np.argmin(np.abs(sensitivity - specificity)))
    balanced = float(thresholds[middle])
    ill, well = (
        max(TARGET, 1 - (1 - float(rate[middle])) / 2) for rate in (sensitivity, specificity)
    )
    sensitive = float(thresholds[np.argmax(sensitivity >= ill)])
    specific = float(thresholds[np.flatnonzero(specificity >= well)[-1]])
    # Rounded to the side that keeps the promise.
    return {
        "balanced": {
            "threshold": _stored(balanced, np.floor),
            "rule": "sensitivity and specificity nearest to each other on validation" + (
                where and ", specificity being that of the series of NORMAL films in which it is "
                "lowest"),
        },
        "high_sensitivity": {
            "threshold": _stored(min(sensitive, balanced), np.floor),
            "rule": f"sensitivity of at least {ill:.3g} on validation",
        },
        "high_specificity": {
            "threshold": _stored(max(specific, balanced), np.ceil),
            "rule": f"specificity of at least {well:.3g} on validation{where}",
        },
    }


def _stored(threshold: float, rounding: np.ufunc) -> float:
    # roc_curve's first threshold is infinite.
    return round(float(rounding(np.clip(threshold, 0.01, 0.99) * 1e4)) / 1e4, 4)


def proportion(successes: float, n: int) -> dict:
    """A share with its exact 95 % interval (Clopper and Pearson 1934).

    Args:
        successes: of n; a fraction where it is a mean over copies of n films.
        n: how many there were, above 0.

    Returns:
        {"value", "low", "high", "n"}.
    """
    k = successes
    low = float(beta.ppf(0.025, k, n - k + 1)) if k > 0 else 0.0
    high = float(beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    return {"value": k / n, "low": low, "high": high, "n": n}


def rates(
    labels: np.ndarray, probabilities: np.ndarray, threshold: float, copies: int = 1
) -> dict:
    """Sensitivity and specificity with exact 95 % intervals.

    Args:
        labels: 0/1, (N,).
        probabilities: of pneumonia, (N,).
        threshold: probability at or above which a film is called pneumonia.
        copies: how many of the N are one film.

    Returns:
        {"sensitivity", "specificity"} as `proportion` gives them; n counts films.
    """
    calls = probabilities >= threshold
    result = {}
    for name, right in (("sensitivity", calls[labels == 1]), ("specificity", ~calls[labels == 0])):
        # Copies of a film err together: counted as films they would feign narrower intervals.
        result[name] = proportion(float(right.sum()) / copies, len(right) // copies)
    return result


def specificity_by_series(
    labels: np.ndarray, probabilities: np.ndarray, threshold: float,
    series: Sequence[str] | None, copies: int = 1,
) -> dict[str, dict]:
    """Specificity in each series of NORMAL films, as `proportion` gives it.

    Args:
        labels, probabilities, threshold, copies: as in `rates`.
        series: of each film, as in `normal_series`.

    Returns:
        name -> specificity; nothing where there are no two series.
    """
    parts = normal_series(labels, series, copies)
    return {
        name: proportion(float((probabilities[part] < threshold).sum()) / copies,
                         int(part.sum()) // copies)
        for name, part in parts.items() if name
    }


def curve(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, list[float]]:
    """Sensitivity and specificity at thresholds 0, 0.01 ... 1, for live display."""
    thresholds = np.round(np.linspace(0, 1, 101), 2)
    at = [(probabilities >= t) for t in thresholds]
    return {
        "threshold": thresholds.tolist(),
        "sensitivity": [round(float(a[labels == 1].mean()), 4) for a in at],
        "specificity": [round(float((~a)[labels == 0].mean()), 4) for a in at],
    }
