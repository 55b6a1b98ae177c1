"""What validation decides about logits: calibration, and the thresholds of the three presets.

Both are fitted on radiographs and degraded copies, pooled; numbers count radiographs, not copies.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from pneumo.evaluation.metrics import calibration_errors, proportion
from pneumo.models.card import CalibrationCheck, Estimate, PolicyMeasures, PolicyResult
from pneumo.models.probability import Calibration, Policy, at_prevalence
from pneumo.reading.decision import LABELS, decide

# Sensitivity at the rule-out threshold of `cautious` and specificity at its rule-in threshold.
TARGET = 0.98
# Largest share of radiographs that `balanced` may leave indeterminate, and what it may be of the
# share that `cautious` leaves: a good network leaves so few that the two would be alike.
MOST_INDETERMINATE = 0.10
OF_CAUTIOUS = 0.5
FOLDS = 5
# A series of NORMAL radiographs smaller than this says too little to decide by.
SMALLEST_SERIES = 20
GRID = np.round(np.arange(0.0, 1.0005, 0.0025), 4)


def calibrate(logits: np.ndarray, labels: np.ndarray) -> Calibration:
    """Platt scaling with the classes weighted alike; logits and 0/1 labels, (N,)."""
    model = LogisticRegression(C=1e6, class_weight="balanced").fit(logits[:, None], labels)
    return Calibration(float(model.coef_[0, 0]), float(model.intercept_[0]))


def check_calibration(
    logits: np.ndarray, labels: np.ndarray, groups: np.ndarray
) -> CalibrationCheck | None:
    """How well calibration holds for patients it was not fitted on, by cross-fitting; at the
    prevalence of these radiographs.

    All are (N,), `groups` the patients; None where a part of them cannot be calibrated.
    """
    folds = min(FOLDS, *(len(set(groups[labels == label].tolist())) for label in (0, 1)))
    if folds < 2:
        return None
    probabilities = np.empty(len(logits))
    for rest, fold in GroupKFold(folds).split(logits, groups=groups):
        if len(set(labels[rest].tolist())) < 2:
            return None
        try:
            probabilities[fold] = calibrate(logits[rest], labels[rest]).probability(logits[fold])
        except ValueError:  # logits that do not tell the classes apart
            return None
    shown = [at_prevalence(p, float(labels.mean())) for p in probabilities.tolist()]
    errors = calibration_errors(labels, np.array(shown), np.ones((1, len(labels))))
    return CalibrationCheck(float(errors[0]), folds)


def normal_series(
    labels: np.ndarray, series: Sequence[str] | None = None, copies: int = 1
) -> dict[str, np.ndarray]:
    """Which observations are NORMAL radiographs of which series: name -> bool (N,).

    One of the two series is easy (2 of 597 IM taken for pneumonia, 36 of 744 NORMAL2-IM), so each
    counts by itself (the worst group, Sagawa et al. 2020). All are under "", and, where two or more
    have `SMALLEST_SERIES`, each of those. `copies`: how many of the N are one radiograph.
    """
    normal = labels == 0
    named = np.asarray([""] * len(labels) if series is None else series)
    parts = {name: normal & (named == name) for name in sorted({*named[normal].tolist()} - {""})}
    found = {name: p for name, p in parts.items() if p.sum() >= SMALLEST_SERIES * copies}
    return {"": normal, **(found if len(found) > 1 else {})}


def fix_presets(
    probabilities: np.ndarray,
    labels: np.ndarray,
    series: Sequence[str] | None = None,
    copies: int = 1,
) -> dict[str, PolicyResult]:
    """The three presets, by name, with what they do on validation.

    decisive: one threshold, at which sensitivity and specificity are nearest to each other.
    cautious: below rule-out lie at most 2 % of the pneumonias, at or above rule-in at most 2 % of
    the normals. balanced: of the pairs between those two that leave at most 10 % indeterminate,
    and half of what cautious leaves, the one that labels fewest wrongly, as the mean of both
    classes. Specificity is that of the series of NORMAL radiographs in which it is lowest.

    Balanced probabilities and 0/1 labels are (N,), copy after copy; others as `normal_series`.
    """
    normals = list(normal_series(labels, series, copies).values())
    # At every threshold of the grid: share of the pneumonias below it, and of the normals at or
    # above it (of the worst series).
    missed = _below(probabilities[labels == 1])
    alarms = 1 - np.min([_below(probabilities[part]) for part in normals], axis=0)
    apart = np.abs(missed - alarms)
    alike = np.flatnonzero(apart <= apart.min() + 1e-9)
    middle = int(alike[len(alike) // 2])
    rule_out = int(np.flatnonzero(missed <= 1 - TARGET + 1e-9).max(initial=0))
    rule_in = int(np.flatnonzero(alarms <= 1 - TARGET + 1e-9).min(initial=len(GRID) - 1))
    # A network for which one threshold keeps both promises still gets the wider pair.
    low, high = min(rule_out, middle), max(rule_in, middle)
    between = _balanced(probabilities, labels, normals, missed, alarms, (low, middle, high))
    worst = ", specificity in the harder series of NORMAL" if len(normals) > 1 else ""
    few = f"at most {MOST_INDETERMINATE:.0%} indeterminate and half of what cautious leaves"
    pairs = {
        "cautious": ((low, high), f"sensitivity and specificity of {TARGET:g}"),
        "balanced": (between, f"fewest wrong labels with {few}"),
        "decisive": ((middle, middle), "sensitivity and specificity alike"),
    }
    results = {}
    for name, (ends, rule) in pairs.items():
        policy = Policy(name, *(float(GRID[end]) for end in ends))
        found = measure_policy(policy, probabilities, labels, copies)
        results[name] = PolicyResult(policy, f"on validation: {rule}{worst}", found)
    return results


def _below(probabilities: np.ndarray) -> np.ndarray:
    return np.searchsorted(np.sort(probabilities), GRID) / len(probabilities)


def _balanced(
    probabilities: np.ndarray,
    labels: np.ndarray,
    normals: Sequence[np.ndarray],
    missed: np.ndarray,
    alarms: np.ndarray,
    ends: tuple[int, int, int],
) -> tuple[int, int]:
    """Places in the grid of the pair that labels fewest wrongly with few indeterminate."""
    low, middle, high = ends
    outs, ins = np.arange(low, middle + 1)[:, None], np.arange(middle, high + 1)[None]

    def between(part: np.ndarray) -> np.ndarray:
        below = _below(probabilities[part])
        return below[ins] - below[outs]

    classes = (between(labels == 1) + np.max([between(part) for part in normals], axis=0)) / 2
    indeterminate = np.maximum(classes, between(np.ones(len(labels), bool)))
    # The widest pair of all is that of cautious.
    most = min(MOST_INDETERMINATE, OF_CAUTIOUS * float(indeterminate[0, -1])) + 1e-9
    wrong = np.where(indeterminate <= most, (missed[outs] + alarms[ins]) / 2, np.inf)
    # Of pairs that are equally right the one that leaves fewest indeterminate.
    ranked = np.lexsort((indeterminate.ravel(), wrong.ravel()))
    best = np.unravel_index(ranked[0], wrong.shape)
    return int(outs[best[0], 0]), int(ins[0, best[1]])


def measure_policy(
    policy: Policy, probabilities: np.ndarray, labels: np.ndarray, copies: int = 1
) -> PolicyMeasures:
    """What a policy's labels are worth; arguments as in `fix_presets`."""
    given = np.array([decide(float(p), policy) for p in probabilities])
    counts = {
        truth: {label: float(((given == label) & (labels == i)).sum() / copies) for label in LABELS}
        for i, truth in enumerate(("NORMAL", "PNEUMONIA"))
    }

    def of_class(truth: str, label: str) -> Estimate:
        return proportion(counts[truth][label], sum(counts[truth].values()))

    def right(label: str) -> Estimate | None:
        called = sum(of[label] for of in counts.values())
        return proportion(counts[label][label], called) if called else None

    left = sum(of["INDETERMINATE"] for of in counts.values())
    return PolicyMeasures(
        sensitivity=of_class("PNEUMONIA", "PNEUMONIA"),
        specificity=of_class("NORMAL", "NORMAL"),
        false_negatives=of_class("PNEUMONIA", "NORMAL"),
        false_positives=of_class("NORMAL", "PNEUMONIA"),
        ppv=right("PNEUMONIA"),
        npv=right("NORMAL"),
        indeterminate=proportion(left, len(labels) / copies),
        labels=counts,
    )
