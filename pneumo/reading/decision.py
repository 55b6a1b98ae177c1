"""From a probability to a label: the only place that does it, and what a label is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pneumo.models.card import PolicyMeasures
from pneumo.models.probability import Calibration, Policy, at_prevalence, check_share

__all__ = [
    "DEFAULT_POLICY",
    "LABELS",
    "PRESETS",
    "Calibration",
    "Policy",
    "at_prevalence",
    "confidence",
    "decide",
    "predictive_values",
]

# Codes in records; the screen's words for them are unlikely, indeterminate, likely.
LABELS = ("NORMAL", "INDETERMINATE", "PNEUMONIA")
# Fixed on validation radiographs and kept in each card. "custom" is a pair given by the user.
PRESETS = ("cautious", "balanced", "decisive")
DEFAULT_POLICY = "balanced"


def decide(probability: float, policy: Policy) -> str:
    """The label of a probability.

    Args:
        probability: of pneumonia, 0 to 1, at the prevalence of the policy's thresholds.
        policy: rule-out and rule-in.

    Returns:
        "NORMAL" below rule-out, "PNEUMONIA" at or above rule-in, "INDETERMINATE" between them.

    Raises:
        ValueError: when the probability is not a number from 0 to 1.
    """
    check_share("probability", probability)
    if probability >= policy.rule_in:
        return "PNEUMONIA"
    return "NORMAL" if probability < policy.rule_out else "INDETERMINATE"


def confidence(probability: float, label: str) -> float:
    """Probability of the label given, 0 to 1; of the likelier class when it is INDETERMINATE."""
    against = 1.0 - probability
    return {"PNEUMONIA": probability, "NORMAL": against}.get(label, max(probability, against))


def predictive_values(
    measured: PolicyMeasures, prevalence: float
) -> tuple[float | None, float | None]:
    """What a label is worth at a prevalence: Bayes' theorem for tests (Altman and Bland 1994).

    Args:
        measured: rates of a policy; an indeterminate radiograph is neither positive nor negative.
        prevalence: share of the radiographs that show pneumonia, 0 to 1.

    Returns:
        Positive and negative predictive value, 0 to 1: of radiographs labelled PNEUMONIA the share
        that shows it, of those labelled NORMAL the share that does not. None where none is
        labelled so.

    Raises:
        ValueError: when the prevalence is not a number from 0 to 1.
    """
    check_share("prevalence", prevalence)
    ill, well = prevalence, 1.0 - prevalence
    found, alarms = measured.sensitivity.value * ill, measured.false_positives.value * well
    cleared, missed = measured.specificity.value * well, measured.false_negatives.value * ill
    return (
        found / (found + alarms) if found + alarms else None,
        cleared / (cleared + missed) if cleared + missed else None,
    )


# Until their last callers use decide() and Policy: the old decision.
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
