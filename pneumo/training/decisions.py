"""What validation decides about logits: calibration, operating points, the uncertain band.

All of it is fitted on degraded copies of the validation films, pooled. Copies of a film are no
new films: wherever the number of observations matters, films are counted.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve
from sklearn.model_selection import GroupKFold

from pneumo.models.calibration import Calibration
from pneumo.training.metrics import expected_calibration_error

# Least sensitivity and specificity of the operating points named after them.
TARGET = 0.98
FOLDS = 5
# Largest share of validation that may be UNCERTAIN, and the error levels tried for it.
MOST_UNCERTAIN = 0.10
LEVELS = tuple(round(0.002 * i, 3) for i in range(1, 51))


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


def operating_thresholds(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, dict]:
    """Thresholds on the calibrated probability, with the rule that gave each.

    balanced: sensitivity and specificity are nearest to each other. high_sensitivity: the
    largest threshold that keeps a sensitivity of `TARGET`, or that halves the misses of the
    balanced one where that asks for more; high_specificity likewise with false alarms. So each
    lies on its side of the balanced one.

    Args:
        probabilities: calibrated, of pneumonia, (N,).
        labels: 0/1, (N,).

    Returns:
        name -> {"threshold", "rule"}; thresholds from 0.01 to 0.99.
    """
    false_positive, sensitivity, thresholds = roc_curve(
        labels, probabilities, drop_intermediate=False
    )
    specificity = 1 - false_positive
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
            "rule": "sensitivity and specificity nearest to each other on validation",
        },
        "high_sensitivity": {
            "threshold": _stored(min(sensitive, balanced), np.floor),
            "rule": f"sensitivity of at least {ill:.3g} on validation",
        },
        "high_specificity": {
            "threshold": _stored(max(specific, balanced), np.ceil),
            "rule": f"specificity of at least {well:.3g} on validation",
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


def curve(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, list[float]]:
    """Sensitivity and specificity at thresholds 0, 0.01 ... 1, for live display."""
    thresholds = np.round(np.linspace(0, 1, 101), 2)
    at = [(probabilities >= t) for t in thresholds]
    return {
        "threshold": thresholds.tolist(),
        "sensitivity": [round(float(a[labels == 1].mean()), 4) for a in at],
        "specificity": [round(float((~a)[labels == 0].mean()), 4) for a in at],
    }


def conformal_quantile(values: np.ndarray, alpha: float, films: int) -> float:
    """Value that a new film of the class exceeds with probability alpha at most.

    Split conformal prediction (Vovk 2012): the ceil((n + 1)(1 - alpha))-th smallest of n.

    Args:
        values: nonconformity of one class, (N,).
        alpha: level of error, 0 to 1.
        films: n, how many films the values come from; N is a multiple of it.

    Returns:
        The value, or infinity when n films are too few to promise the level.
    """
    rank = math.ceil((films + 1) * (1 - alpha) - 1e-9)  # 11 x 0.9 is no more than 9.9
    if rank > films:
        return math.inf
    return float(np.sort(values)[-(-len(values) * rank // films) - 1])


def prediction_band(
    labels: np.ndarray, probabilities: np.ndarray, alpha: float, copies: int = 1
) -> tuple[float, float]:
    """Probabilities whose class-conditional conformal prediction set is not one label alone.

    At level alpha NORMAL is in the set up to the upper quantile of the normals, PNEUMONIA from
    the lower quantile of the pneumonias on (Vovk 2012; Sadinle, Lei and Wasserman 2019). Where
    they overlap the set has both labels, where they leave a gap it has none: either is one band.

    Args:
        labels: 0/1, (N,), 1 for pneumonia.
        probabilities: calibrated, of pneumonia, (N,).
        alpha: level of error in each class, 0 to 1.
        copies: how many of the N are one film.

    Returns:
        low and high, 0 to 1.
    """
    normal, pneumonia = probabilities[labels == 0], probabilities[labels == 1]
    last_normal = conformal_quantile(normal, alpha, len(normal) // copies)
    first_pneumonia = -conformal_quantile(-pneumonia, alpha, len(pneumonia) // copies)
    low, high = sorted((last_normal, first_pneumonia))
    return max(0.0, low), min(1.0, high)


def uncertain_band(
    labels: np.ndarray, probabilities: np.ndarray, threshold: float, copies: int = 1
) -> dict:
    """The band of UNCERTAIN probabilities, at a level chosen on validation.

    The level is the smallest that leaves at most `MOST_UNCERTAIN` of validation without a
    certain label; where none does, the one that leaves fewest.

    Args:
        labels: 0/1, (N,), 1 for pneumonia.
        probabilities: calibrated, of pneumonia, (N,).
        threshold: of the balanced operating point; the band holds it.
        copies: how many of the N are one film.

    Returns:
        {"low", "high", "alpha", "rule", "validation": {"uncertain", "certain_accuracy",
        "coverage_normal", "coverage_pneumonia"}}. Coverage is the share of the class whose label
        is right or UNCERTAIN. certain_accuracy is None when nothing is certain.
    """
    best: dict = {}
    for alpha in LEVELS:
        low, high = prediction_band(labels, probabilities, alpha, copies)
        # Rounded outward, and the band's end does not belong to it, unlike the quantile itself.
        low = min(math.floor(low * 1e4) / 1e4, threshold)
        high = max(min(1.0, (math.floor(high * 1e4) + 1) / 1e4), threshold)
        measured = _certainty(labels, probabilities, low, high)
        if not best or measured["uncertain"] < best["validation"]["uncertain"]:
            best = {"low": low, "high": high, "alpha": alpha, "validation": measured}
        if measured["uncertain"] <= MOST_UNCERTAIN:
            break
    share = f"{100 * MOST_UNCERTAIN:.0f} %"
    kept = best["validation"]["uncertain"] <= MOST_UNCERTAIN
    rule = (
        f"the smallest level that leaves at most {share} of validation UNCERTAIN" if kept else
        f"the level that leaves the fewest of validation UNCERTAIN; none leaves only {share}"
    )
    return {**best, "rule": f"class-conditional conformal prediction sets at {rule}"}


def _certainty(
    labels: np.ndarray, probabilities: np.ndarray, low: float, high: float
) -> dict[str, float | None]:
    denied = np.where(labels == 1, probabilities < low, probabilities >= high)
    uncertain = (probabilities >= low) & (probabilities < high)
    certain = ~uncertain
    return {
        "uncertain": float(uncertain.mean()),
        "certain_accuracy": float(1 - denied[certain].mean()) if certain.any() else None,
        "coverage_normal": float(1 - denied[labels == 0].mean()),
        "coverage_pneumonia": float(1 - denied[labels == 1].mean()),
    }
