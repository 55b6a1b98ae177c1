"""From a probability to a label: the only place that does it, and what a label is worth."""

import numpy as np

from pneumo.models.card import Curve, Estimate, PolicyMeasures
from pneumo.models.probability import Policy, check_share
from pneumo.models.probability import at_prevalence as at_prevalence  # for readers

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
    """Positive and negative predictive value at a prevalence, 0 to 1 (Altman and Bland 1994).

    An indeterminate radiograph is neither positive nor negative; None where none is labelled so. A
    ValueError when the prevalence is not a number from 0 to 1.
    """
    check_share("prevalence", prevalence)
    positive, negative = prevalence, 1.0 - prevalence
    hits = measured.sensitivity.value * positive
    alarms = measured.false_positives.value * negative
    cleared = measured.specificity.value * negative
    missed = measured.false_negatives.value * positive
    return (
        hits / (hits + alarms) if hits + alarms else None,
        cleared / (cleared + missed) if cleared + missed else None,
    )


def measures_at(curve: Curve, policy: Policy, prevalence: float, n: int) -> PolicyMeasures:
    """What a policy without measured rates, such as a custom one, gives: read off the curve of n
    radiographs with this prevalence, without intervals and without predictive values."""

    def at(rates: tuple[float, ...], threshold: float) -> float:
        return float(np.interp(threshold, curve.threshold, rates))

    sensitivity = at(curve.sensitivity, policy.rule_in)
    specificity = at(curve.specificity, policy.rule_out)
    missed = 1 - at(curve.sensitivity, policy.rule_out)
    alarms = 1 - at(curve.specificity, policy.rule_in)
    between = prevalence * max(0.0, 1 - missed - sensitivity)
    between += (1 - prevalence) * max(0.0, 1 - alarms - specificity)
    rates = (sensitivity, specificity, missed, alarms, between)
    found, cleared, lost, false, left = (Estimate(rate, None, None, n) for rate in rates)
    return PolicyMeasures(found, cleared, lost, false, None, None, left, {})
