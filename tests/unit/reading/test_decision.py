"""From logit to probability to label, and what a label is worth."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from pneumo.reading.decision import (
    LABELS,
    Calibration,
    Policy,
    at_prevalence,
    confidence,
    decide,
    predictive_values,
)
from tests.cards import estimate, measures

GRID = [i / 50 for i in range(51)]
POLICY = Policy("balanced", 0.3, 0.6)


def test_calibration_is_monotone_and_bounded():
    logits = np.linspace(-1000, 1000, 401)
    p = Calibration(1.7, -0.4).probability(logits)
    assert np.all(np.diff(p) >= 0) and p[0] == 0 and p[-1] == 1
    assert Calibration(2.0, 1.0).probability(0.5) == pytest.approx(1 / (1 + math.exp(-2)))


def test_a_logit_and_its_probability_are_inverse():
    calibration = Calibration(1.7, -0.4)
    for logit in (-3.0, 0.0, 2.5):
        assert calibration.logit(calibration.probability(logit)) == pytest.approx(logit)


@pytest.mark.parametrize("numbers", [(0.0, 0.0), (-1.0, 0.0), (math.nan, 0.0), (1.0, math.inf)])
def test_impossible_calibrations(numbers):
    with pytest.raises(ValueError, match="calibration"):
        Calibration(*numbers)


@pytest.mark.parametrize(
    ("probability", "label"),
    [
        (0.0, "NORMAL"),
        (0.29, "NORMAL"),
        (0.3, "INDETERMINATE"),
        (0.59, "INDETERMINATE"),
        (0.6, "PNEUMONIA"),
        (1.0, "PNEUMONIA"),
    ],
)
def test_labels_below_between_and_above_the_thresholds(probability, label):
    assert decide(probability, POLICY) == label


def test_one_threshold_leaves_nothing_indeterminate():
    labels = {decide(p, Policy("decisive", 0.5, 0.5)) for p in GRID}
    assert labels == {"NORMAL", "PNEUMONIA"}
    assert decide(0.5, Policy("decisive", 0.5, 0.5)) == "PNEUMONIA"


def test_extreme_policies():
    assert {decide(p, Policy("custom", 0.0, 0.0)) for p in GRID} == {"PNEUMONIA"}
    assert {decide(p, Policy("custom", 0.0, 1.0)) for p in GRID[:-1]} == {"INDETERMINATE"}
    assert {decide(p, Policy("custom", 1.0, 1.0)) for p in GRID[:-1]} == {"NORMAL"}


@pytest.mark.parametrize("probability", [-0.1, 1.1, math.nan])
def test_impossible_probabilities(probability):
    with pytest.raises(ValueError, match="from 0 to 1"):
        decide(probability, POLICY)


@pytest.mark.parametrize("ends", [(0.6, 0.4), (-0.1, 0.5), (0.5, 1.2), (math.nan, 0.5)])
def test_impossible_policies(ends):
    with pytest.raises(ValueError, match="threshold"):
        Policy("custom", *ends)


@pytest.mark.parametrize("prevalence", [0.001, 0.05, 0.5, 0.743, 0.999])
def test_no_label_depends_on_prevalence(prevalence):
    moved = POLICY.at(prevalence)
    for p in GRID:
        assert decide(at_prevalence(p, prevalence), moved) == decide(p, POLICY)


def test_a_probability_moves_by_its_odds():
    # Balanced odds of 4 in a population where a tenth is ill: 4 / 9.
    assert at_prevalence(0.8, 0.1) == pytest.approx((4 / 9) / (1 + 4 / 9))
    assert at_prevalence(0.3, 0.5) == 0.3
    for prevalence in (0.01, 0.743):
        assert (at_prevalence(0.0, prevalence), at_prevalence(1.0, prevalence)) == (0.0, 1.0)
        back = at_prevalence(at_prevalence(0.3, prevalence), 1 - prevalence)
        assert back == pytest.approx(0.3)


@pytest.mark.parametrize("prevalence", [0.0, 1.0, -0.5, 1.5, math.nan])
def test_impossible_prevalences(prevalence):
    for use in (lambda: at_prevalence(0.5, prevalence), lambda: POLICY.at(prevalence)):
        with pytest.raises(ValueError, match="prevalence"):
            use()


def test_custom_thresholds_are_those_of_the_prevalence_they_were_given_at():
    policy = Policy.custom(0.1, 0.9, 0.743)
    shown = policy.at(0.743)
    assert (policy.name, shown.rule_out, shown.rule_in) == (
        "custom",
        pytest.approx(0.1),
        pytest.approx(0.9),
    )
    assert policy.rule_out < 0.1  # rarer, the same finding is worth less
    with pytest.raises(ValueError, match=r"0\.9.*0\.1"):
        Policy.custom(0.9, 0.1, 0.2)


def test_confidence_is_the_probability_of_the_label():
    assert confidence(0.2, "NORMAL") == pytest.approx(0.8)
    assert confidence(0.2, "PNEUMONIA") == 0.2
    assert confidence(0.2, "INDETERMINATE") == pytest.approx(0.8)
    assert set(LABELS) == {"NORMAL", "INDETERMINATE", "PNEUMONIA"}


def test_predictive_values_count_the_indeterminate_as_such():
    # 1000 radiographs, 100 with pneumonia: 80 labelled likely, 5 unlikely, 15 left open;
    # of the 900 without, 90 labelled likely, 720 unlikely, 90 left open.
    measured = replace(
        measures(0.8, 0.8), false_negatives=estimate(0.05), false_positives=estimate(0.1)
    )
    ppv, npv = predictive_values(measured, 0.1)
    assert ppv == pytest.approx(80 / 170) and npv == pytest.approx(720 / 725)
    assert predictive_values(measured, 0.0) == (0.0, 1.0)
    assert predictive_values(measured, 1.0) == (1.0, 0.0)
    rising = [predictive_values(measured, prevalence)[0] for prevalence in (0.05, 0.2, 0.5)]
    assert rising == sorted(rising)


def test_a_label_that_is_never_given_has_no_predictive_value():
    never = replace(measures(), sensitivity=estimate(0.0), false_positives=estimate(0.0))
    assert predictive_values(never, 0.3)[0] is None
    with pytest.raises(ValueError, match="prevalence"):
        predictive_values(never, math.nan)
