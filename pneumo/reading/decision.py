"""From a probability to a label: the only place that does it, and what a label is worth."""

from __future__ import annotations

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
    """A label: "NORMAL" below rule-out, "PNEUMONIA" at or above rule-in, else "INDETERMINATE".

    Raises ValueError when the probability is not a number from 0 to 1.
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

    An indeterminate radiograph is neither positive nor negative.

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
