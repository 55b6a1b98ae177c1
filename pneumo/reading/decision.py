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

    def logit(self, probability: float) -> float:
        """The network's logit that has this probability: the inverse of `probability`.

        Raises:
            ValueError: when the probability is not between 0 and 1.
        """
        if not 0.0 < probability < 1.0:
            raise ValueError(f"Only a probability between 0 and 1 has a logit, not {probability}.")
        return (math.log(probability / (1.0 - probability)) - self.offset) / self.slope

    def record(self) -> dict:
        """Plain json values; `Calibration(**record)` is the inverse."""
        return asdict(self)


@dataclass(frozen=True)
class Band:
    """Probabilities whose prediction set is not one label alone: low <= probability < high.

    Where the sets come from says `pneumo.evaluation.uncertain.uncertain_band`.

    Raises:
        ValueError: when it is not 0 <= low <= high <= 1.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.low <= self.high <= 1.0:  # nan fails too
            raise ValueError(f"An uncertain band lies in 0 to 1, not {self.low} to {self.high}.")

    def around(self, threshold: float) -> Band:
        """The band widened until it holds the threshold, so that moving the threshold never
        gives a certain label that the prediction set contradicts."""
        return Band(min(self.low, threshold), max(self.high, threshold))


def band_of(card: dict) -> Band | None:
    """The uncertain band of a card, or None where the card has none.

    Raises:
        ValueError: when the card's band is none.
    """
    stored = card.get("uncertain")
    if not stored:
        return None
    try:
        low, high = float(stored["low"]), float(stored["high"])
    except (KeyError, TypeError, ValueError):
        raise ValueError("The card's uncertain band lacks its ends, low and high.") from None
    return Band(low, high)


def label_of(
    probability: float, threshold: float, uncertain: Band | None = None
) -> tuple[str, float]:
    """Label and confidence for a probability at an operating point.

    Args:
        probability: of pneumonia, 0 to 1.
        threshold: 0 to 1; a probability at or above it is called pneumonia.
        uncertain: the card's band; widened to hold the threshold, it is called UNCERTAIN.

    Returns:
        "PNEUMONIA", "NORMAL" or "UNCERTAIN", and the probability of the label given; for
        UNCERTAIN that of the likelier class.

    Raises:
        ValueError: when the threshold is not a number from 0 to 1.
    """
    if not (math.isfinite(threshold) and 0.0 <= threshold <= 1.0):
        raise ValueError(f"The threshold must be a number from 0 to 1, not {threshold}.")
    if uncertain is not None:
        band = uncertain.around(threshold)
        if band.low <= probability < band.high:
            return "UNCERTAIN", max(probability, 1.0 - probability)
    if probability >= threshold:
        return "PNEUMONIA", probability
    return "NORMAL", 1.0 - probability


def predictive_values(
    sensitivity: float, specificity: float, prevalence: float
) -> tuple[float | None, float | None]:
    """What a label is worth on a ward: Bayes' theorem for tests (Altman and Bland 1994, BMJ 309).

    Args:
        sensitivity: share of the ill that are called pneumonia, 0 to 1.
        specificity: share of the well that are called normal, 0 to 1.
        prevalence: share of the ward's films that show pneumonia, 0 to 1.

    Returns:
        Positive and negative predictive value, 0 to 1: the share of films called pneumonia that
        show it, and of films called normal that do not. None where no film is called so.

    Raises:
        ValueError: when one of the three is not a number from 0 to 1.
    """
    given = {"sensitivity": sensitivity, "specificity": specificity, "prevalence": prevalence}
    for name, value in given.items():
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"The {name} must be a number from 0 to 1, not {value}.")
    ill, well = prevalence, 1.0 - prevalence
    positive = sensitivity * ill + (1.0 - specificity) * well
    negative = specificity * well + (1.0 - sensitivity) * ill
    return (
        sensitivity * ill / positive if positive else None,
        specificity * well / negative if negative else None,
    )
