"""The band of UNCERTAIN: class-conditional conformal prediction sets, chosen on validation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np

from pneumo.evaluation.thresholds import normal_series

# Largest share of validation that may be UNCERTAIN, as the mean of both classes, and the levels of
# error tried for it.
MOST_UNCERTAIN = 0.10
LEVELS = tuple(round(0.002 * i, 3) for i in range(1, 51))


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


def last_normal(
    probabilities: np.ndarray, normals: Iterable[np.ndarray], level: float, copies: int = 1
) -> float:
    """Probability up to which NORMAL is in the prediction set.

    At the level in every series (Vovk 2012; Sadinle, Lei and Wasserman 2019).

    Args:
        probabilities: calibrated, of pneumonia, (N,).
        normals: which of them are NORMAL, bool (N,), one for each series.
        level: of error among NORMAL films, 0 to 1.
        copies: how many of the N are one film.

    Returns:
        0 to 1; 1 when a series has too few films to promise the level.
    """
    return min(1.0, max(
        conformal_quantile(probabilities[part], level, int(part.sum()) // copies)
        for part in normals
    ))


def first_pneumonia(
    labels: np.ndarray, probabilities: np.ndarray, level: float, copies: int = 1
) -> float:
    """Probability from which on PNEUMONIA is in the prediction set; 0 to 1.

    Args:
        labels: 0/1, (N,), 1 for pneumonia.
        probabilities: calibrated, of pneumonia, (N,).
        level: of error among PNEUMONIA films, 0 to 1.
        copies: how many of the N are one film.
    """
    ill = probabilities[labels == 1]
    return max(0.0, -conformal_quantile(-ill, level, len(ill) // copies))


def uncertain_band(
    labels: np.ndarray, probabilities: np.ndarray, threshold: float, copies: int = 1,
    series: Sequence[str] | None = None,
) -> dict:
    """The band of UNCERTAIN probabilities, at levels chosen on validation.

    The levels are those that leave fewest certain answers wrong among those that leave at most
    `MOST_UNCERTAIN` UNCERTAIN; where none do, those that leave fewest UNCERTAIN. Both shares are
    means of the two classes', NORMAL's being that of the series in which it is larger.

    Args:
        labels: 0/1, (N,), 1 for pneumonia.
        probabilities: calibrated, of pneumonia, (N,).
        threshold: of the balanced operating point; the band holds it.
        copies: how many of the N are one film.
        series: of each film, as in `normal_series`.

    Returns:
        {"low", "high", "levels": {"normal", "pneumonia"}, "rule", "validation": {"uncertain",
        "certain_accuracy", "coverage_normal", "coverage_pneumonia"}}. Coverage is the share of
        the class whose label is right or UNCERTAIN. "uncertain" there is of all films, not of the
        classes' mean. certain_accuracy is None when nothing is certain.
    """
    normals = list(normal_series(labels, series, copies).values())
    few, many = [], []
    for band, levels in _bands(labels, probabilities, threshold, copies, normals).items():
        wrong, uncertain = _worst(labels, probabilities, normals, *band)
        (few if uncertain <= MOST_UNCERTAIN else many).append((wrong, uncertain, band, levels))
    best = min(few) if few else min(many, key=lambda found: (found[1], found[0]))
    (low, high), levels = best[2:]
    share = f"{100 * MOST_UNCERTAIN:.0f} %"
    rule = (
        f"the levels that leave fewest certain answers wrong, of those that leave at most {share} "
        "UNCERTAIN" if few else
        f"the levels that leave fewest UNCERTAIN; none leave only {share}"
    )
    alike = "in the mean of both classes on validation" + (
        ", NORMAL being as its worse series" if len(normals) > 1 else "")
    return {
        "low": low, "high": high,
        "levels": dict(zip(("normal", "pneumonia"), levels, strict=True)),
        "rule": f"class-conditional conformal prediction sets at {rule}, {alike}",
        "validation": _certainty(labels, probabilities, low, high),
    }


def _bands(
    labels: np.ndarray, probabilities: np.ndarray, threshold: float, copies: int,
    normals: Sequence[np.ndarray],
) -> dict[tuple[float, float], tuple[float, float]]:
    """Every band that levels give, with the smallest levels that give it.

    Where both labels' sets overlap the set has both, where they leave a gap it has none: either
    is one band.
    """
    lasts = {level: last_normal(probabilities, normals, level, copies) for level in LEVELS}
    firsts = {level: first_pneumonia(labels, probabilities, level, copies) for level in LEVELS}
    found: dict[tuple[float, float], tuple[float, float]] = {}
    for levels in product(LEVELS, LEVELS):
        low, high = sorted((lasts[levels[0]], firsts[levels[1]]))
        # Rounded outward, and the band's end does not belong to it, unlike the quantile itself.
        low = min(math.floor(low * 1e4) / 1e4, threshold)
        high = max(min(1.0, (math.floor(high * 1e4) + 1) / 1e4), threshold)
        found.setdefault((low, high), levels)
    return found


def _worst(
    labels: np.ndarray, probabilities: np.ndarray, normals: Iterable[np.ndarray], low: float,
    high: float,
) -> tuple[float, float]:
    """Shares that are wrong and certain, and UNCERTAIN: means of both classes."""
    denied, uncertain = _answers(labels, probabilities, low, high)
    ill = labels == 1
    return tuple(
        float((what[ill].mean() + max(what[part].mean() for part in normals)) / 2)
        for what in (denied, uncertain)
    )


def _answers(
    labels: np.ndarray, probabilities: np.ndarray, low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    """Which are called what they are not, and which UNCERTAIN: bool (N,) each."""
    denied = np.where(labels == 1, probabilities < low, probabilities >= high)
    return denied, (probabilities >= low) & (probabilities < high)


def _certainty(
    labels: np.ndarray, probabilities: np.ndarray, low: float, high: float
) -> dict[str, float | None]:
    denied, uncertain = _answers(labels, probabilities, low, high)
    certain = ~uncertain
    return {
        "uncertain": float(uncertain.mean()),
        "certain_accuracy": float(1 - denied[certain].mean()) if certain.any() else None,
        "coverage_normal": float(1 - denied[labels == 0].mean()),
        "coverage_pneumonia": float(1 - denied[labels == 1].mean()),
    }
