"""What labelled radiographs say of a network, without the libraries that only training installs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pneumo.models.card import Estimate
from pneumo.reading.decision import LABELS
from pneumo.ui.results import rate
from pneumo.ui.texts import text

Z = 1.959964


def measured(labels: Sequence[str], truths: Sequence[str], scores: Sequence[float]) -> dict:
    """Counts by truth and label, and rows of name and words: accuracy, both rates, AUC.

    An INDETERMINATE is neither found nor cleared. Labels, truths ("NORMAL" or "PNEUMONIA") and
    scores, 0 to 1, are (N,); a rate of a class that is missing is a dash.
    """
    label, truth, score = np.array(labels), np.array(truths), np.array(scores, float)
    ill = truth == "PNEUMONIA"
    right = label == truth
    rates = {
        "accuracy": share(right),
        "sensitivity": share(right[ill]),
        "specificity": share(right[~ill]),
        "auc": area(score[ill], score[~ill]),
    }
    return {
        "counts": {
            is_: {said: int(np.sum((truth == is_) & (label == said))) for said in LABELS}
            for is_ in ("NORMAL", "PNEUMONIA")
        },
        "rows": [(text(f"labelled.{key}"), rate(value)) for key, value in rates.items()],
    }


def share(hits: np.ndarray) -> Estimate | None:
    """The share of hits (bool, (N,)) with its 95 % score interval (Wilson 1927)."""
    n = len(hits)
    return _estimate(float(hits.mean()), n, lambda p: p * (1 - p) / n) if n else None


def area(positive: np.ndarray, negative: np.ndarray) -> Estimate | None:
    """AUC of two groups' scores with its 95 % score interval (Newcombe 2006, method 5)."""
    m, n = len(positive), len(negative)
    if not m or not n:
        return None
    above = np.sign(positive[:, None] - negative).mean()
    pairs = (m + n) / 2 - 1
    return _estimate(
        float(0.5 + above / 2),
        m + n,
        lambda a: a * (1 - a) * (1 + pairs * (1 - a) / (2 - a) + pairs * a / (1 + a)) / (m * n),
    )


def _estimate(value: float, n: int, variance: Callable[[np.ndarray], np.ndarray]) -> Estimate:
    """With all values in whose own 95 % range this one lies."""
    values = np.linspace(0, 1, 20001)
    inside = values[np.abs(values - value) <= Z * np.sqrt(variance(values))]
    return Estimate(value, min(value, float(inside[0])), max(value, float(inside[-1])), n)
