"""From a network's logit to a probability at a prevalence, and the two thresholds on it."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np


def at_prevalence(probability: float, prevalence: float) -> float:
    """Move a probability from a balanced population to another prevalence (Saerens et al. 2002).

    The way back is the same with 1 - prevalence; a ValueError for a number out of its range.
    """
    check_share("probability", probability)
    if not 0.0 < prevalence < 1.0:  # nan fails too
        raise ValueError(f"The prevalence must be above 0 and below 1, not {prevalence}.")
    if prevalence == 0.5:  # balanced stays exactly what it was
        return probability
    positive = probability * prevalence
    return positive / (positive + (1.0 - probability) * (1.0 - prevalence))


def check_share(name: str, value: float) -> None:
    """Raise a ValueError that names the value, unless it is a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value <= 1.0:
        raise ValueError(f"The {name} must be a number from 0 to 1, not {value}.")


@dataclass(frozen=True)
class Calibration:
    """Platt scaling (Platt 1999): probability = sigmoid(slope x logit + offset).

    Fitted with both classes weighted alike: half of its population has pneumonia. A ValueError
    unless the slope is finite and above 0, and the offset finite.
    """

    slope: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        if not (0.0 < self.slope < math.inf and math.isfinite(self.offset)):
            raise ValueError(
                f"A calibration needs a slope above 0 and a finite offset, not {self.slope} and "
                f"{self.offset}."
            )

    def probability(self, logit: Any) -> Any:
        """Balanced probability of pneumonia: a float for a number, else float64 like `logit`."""
        odds = self.slope * np.asarray(logit, dtype=np.float64) + self.offset
        result = 0.5 * (1.0 + np.tanh(0.5 * odds))  # does not overflow, unlike 1 / (1 + exp)
        return float(result) if np.ndim(logit) == 0 else result

    def logit(self, probability: float) -> float:
        """The network's logit that has this balanced probability: the inverse of `probability`."""
        return (math.log(probability / (1.0 - probability)) - self.offset) / self.slope


@dataclass(frozen=True)
class Policy:
    """A preset's, or "custom", thresholds on the balanced probability, 0 to 1.

    Below `rule_out` pneumonia is unlikely, at or above `rule_in` likely, between indeterminate.
    """

    name: str
    rule_out: float
    rule_in: float

    def __post_init__(self) -> None:
        check_share("rule-out threshold", self.rule_out)
        check_share("rule-in threshold", self.rule_in)
        if self.rule_out > self.rule_in:
            raise ValueError(
                f"The rule-out threshold ({self.rule_out}) must not exceed the rule-in threshold "
                f"({self.rule_in})."
            )

    @classmethod
    def custom(cls, rule_out: float, rule_in: float, prevalence: float = 0.5) -> "Policy":
        """The policy of two thresholds that were given at a prevalence."""
        cls("custom", rule_out, rule_in)  # errors name the numbers that were given
        ends = (at_prevalence(end, 1.0 - prevalence) for end in (rule_out, rule_in))
        return cls("custom", *ends)

    def at(self, prevalence: float) -> "Policy":
        """Both thresholds moved to a prevalence by `at_prevalence`; labels stay the same."""
        ends = (at_prevalence(end, prevalence) for end in (self.rule_out, self.rule_in))
        return Policy(self.name, *ends)
