"""From a network's logit to a calibrated probability, and from that to a label."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Calibration:
    """Platt scaling (Platt 1999): probability = sigmoid(slope x logit + offset).

    Fitted with both classes weighted alike, so the probability is that of a ward where half of
    the children have pneumonia.
    """

    slope: float = 1.0
    offset: float = 0.0

    def probability(self, logit: float | np.ndarray) -> float | np.ndarray:
        """Calibrated probability of pneumonia, 0 to 1; same shape as `logit`."""
        odds = self.slope * np.asarray(logit, dtype=np.float64) + self.offset
        result = 0.5 * (1.0 + np.tanh(0.5 * odds))  # does not overflow, unlike 1 / (1 + exp)
        return float(result) if np.ndim(logit) == 0 else result

    def record(self) -> dict:
        """Plain json values; `Calibration(**record)` is the inverse."""
        return asdict(self)


def label_of(probability: float, threshold: float) -> tuple[str, float]:
    """Label and confidence for a probability at an operating point.

    Args:
        probability: of pneumonia, 0 to 1.
        threshold: 0 to 1; a probability at or above it is called pneumonia.

    Returns:
        "PNEUMONIA" or "NORMAL", and the probability of the label given.

    Raises:
        ValueError: when the threshold is not a number from 0 to 1.
    """
    if not (math.isfinite(threshold) and 0.0 <= threshold <= 1.0):
        raise ValueError(f"The threshold must be a number from 0 to 1, not {threshold}.")
    if probability >= threshold:
        return "PNEUMONIA", probability
    return "NORMAL", 1.0 - probability
