"""From logit to probability to label, and what a label is worth."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pneumo.models.card import Curve
from pneumo.models.probability import Calibration, at_prevalence
from pneumo.reading.decision import LABELS, Policy, confidence, decide, measures_at
from pneumo.reading.decision import predictive_values as values_at
from tests.cards import estimate, measures

GRID = [i / 50 for i in range(51)]
POLICY = Policy("balanced", 0.3, 0.6)


def test_calibration_is_monotone_and_bounded():
    logits = np.linspace(-1000, 1000, 401)
    p = Calibration(1.7, -0.4).probability(logits)
    assert np.all(np.diff(p) >= 0) and p[0] == 0 and p[-1] == 1
    assert Calibration(2.0, 1.0).probability(0.5) == pytest.approx(1 / (1 + math.exp(-2)))
    assert Calibration(2.0, 1.0).logit(1 / (1 + math.exp(-2))) == pytest.approx(0.5)


def test_labels_below_between_and_above_the_thresholds():
    low, middle, high = LABELS
    for p in GRID:
        assert decide(p, POLICY) == (low if p < 0.3 else middle if p < 0.6 else high)
        assert decide(p, Policy("decisive", 0.5, 0.5)) == (low if p < 0.5 else high)
    assert confidence(0.2, low) == confidence(0.2, middle) == pytest.approx(0.8)
    assert confidence(0.2, high) == 0.2


@pytest.mark.parametrize(
    "use",
    [
        lambda: Calibration(0.0, 0.0),
        lambda: Calibration(1.0, math.inf),
        lambda: Policy("custom", 0.6, 0.4),
        lambda: Policy("custom", math.nan, 0.5),
        lambda: Policy.custom(0.9, 0.1, 0.2),
        lambda: decide(1.1, POLICY),
        lambda: decide(math.nan, POLICY),
        lambda: at_prevalence(0.5, 0.0),
        lambda: POLICY.at(math.nan),
        lambda: values_at(measures(), math.nan),
    ],
)
def test_impossible_numbers_are_refused(use):
    with pytest.raises(ValueError):
        use()


@pytest.mark.parametrize("prevalence", [0.001, 0.05, 0.5, 0.743, 0.999])
def test_no_label_depends_on_prevalence(prevalence):
    for p in GRID:
        assert decide(at_prevalence(p, prevalence), POLICY.at(prevalence)) == decide(p, POLICY)


def test_a_probability_moves_by_its_odds():
    # Balanced odds of 4 in a population where a tenth is ill: 4 / 9.
    assert at_prevalence(0.8, 0.1) == pytest.approx((4 / 9) / (1 + 4 / 9))
    assert at_prevalence(0.3, 0.5) == 0.3
    for prevalence in (0.01, 0.743):
        assert (at_prevalence(0.0, prevalence), at_prevalence(1.0, prevalence)) == (0.0, 1.0)
        back = at_prevalence(at_prevalence(0.3, prevalence), 1 - prevalence)
        assert back == pytest.approx(0.3)


def test_predictive_values_count_the_indeterminate_as_such():
    # 1000 radiographs, 100 with pneumonia: 80 labelled likely, 5 unlikely, 15 left open;
    # of the 900 without, 90 labelled likely, 720 unlikely, 90 left open.
    measured = replace(
        measures(0.8, 0.8), false_negatives=estimate(0.05), false_positives=estimate(0.1)
    )
    ppv, npv = values_at(measured, 0.1)
    assert ppv == pytest.approx(80 / 170) and npv == pytest.approx(720 / 725)
    assert values_at(measured, 0.0) == (0.0, 1.0)
    assert values_at(measured, 1.0) == (1.0, 0.0)
    never = replace(measures(), sensitivity=estimate(0.0), false_positives=estimate(0.0))
    assert values_at(never, 0.3)[0] is None


def test_rates_of_a_custom_pair_are_read_off_the_curve():
    curve = Curve((0.0, 0.5, 1.0), sensitivity=(1.0, 0.9, 0.0), specificity=(0.0, 0.8, 1.0))
    one = measures_at(curve, Policy("custom", 0.5, 0.5), 0.3, 100)
    assert (one.sensitivity.value, one.specificity.value) == pytest.approx((0.9, 0.8))
    assert one.indeterminate.value == pytest.approx(0)
    two = measures_at(curve, Policy("custom", 0.25, 0.75), 0.3, 100)
    assert two.sensitivity.value == pytest.approx(0.45)
    assert two.false_negatives.value == pytest.approx(0.05)
    assert two.indeterminate.value == pytest.approx(0.3 * 0.5 + 0.7 * 0.5)
