"""What figures show that a card holds only indirectly: score histograms, precision and recall."""

from __future__ import annotations

import numpy as np


def histograms(curve: dict, n: int, positives: int, bins: int = 50) -> dict[str, list]:
    """Score histograms by class, recovered from sensitivity and specificity at many thresholds.

    The share of a class at or above two neighbouring thresholds differs by the films between them,
    so nothing but the curve has to be stored.

    Args:
        curve: {"threshold", "sensitivity", "specificity"}, thresholds rising from 0 to 1 and even.
        n: films behind the curve.
        positives: how many of them show pneumonia.
        bins: of the histogram; the thresholds less one are a multiple of it.

    Returns:
        {"edges": bins + 1 probabilities, "NORMAL": counts, "PNEUMONIA": counts}; a probability on
        an edge counts above it, one of exactly 1 in the last bin.

    Raises:
        ValueError: when the curve's thresholds cannot be put together to so many bins.
    """
    thresholds = np.asarray(curve["threshold"], float)
    step, rest = divmod(len(thresholds) - 1, bins)
    if rest or step == 0:
        raise ValueError(f"A curve of {len(thresholds)} thresholds has no {bins} equal bins.")
    above = {
        "NORMAL": (1 - np.asarray(curve["specificity"], float)) * (n - positives),
        "PNEUMONIA": np.asarray(curve["sensitivity"], float) * positives,
    }
    result: dict[str, list] = {"edges": thresholds[::step].tolist()}
    for name, films in above.items():
        left = np.rint(films[::step]).astype(int)
        left[-1] = 0
        result[name] = (left[:-1] - left[1:]).tolist()
    return result


def precision_recall(curve: dict, n: int, positives: int) -> tuple[np.ndarray, np.ndarray]:
    """Recall (sensitivity) and precision (positive predictive value) at a curve's thresholds.

    Args:
        curve: as in `histograms`.
        n: films behind the curve.
        positives: how many of them show pneumonia.

    Returns:
        recall and precision, float64 (M,), recall falling; thresholds that call no film are left
        out, for precision is not defined there.
    """
    recall = np.asarray(curve["sensitivity"], float)
    true = recall * positives
    false = (1 - np.asarray(curve["specificity"], float)) * (n - positives)
    called = true + false > 0.5
    return recall[called], true[called] / (true + false)[called]
