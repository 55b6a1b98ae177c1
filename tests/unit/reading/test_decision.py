"""From logit to probability to label, and what a label is worth on a ward."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pneumo.reading.decision import (
    Band,
    Calibration,
    band_of,
    label_of,
    predictive_values,
)


def test_calibration_is_monotone_and_bounded():
    logits = np.linspace(-1000, 1000, 401)
    p = Calibration(1.7, -0.4).probability(logits)
    assert np.all(np.diff(p) >= 0) and p[0] == 0 and p[-1] == 1
    assert Calibration(2.0, 1.0).probability(0.5) == pytest.approx(1 / (1 + math.exp(-2)))


def test_a_probability_at_the_threshold_is_pneumonia():
    assert label_of(0.5, 0.5) == ("PNEUMONIA", 0.5)
    assert label_of(0.49, 0.5) == ("NORMAL", 0.51)


def test_a_logit_and_its_probability_are_inverse():
    calibration = Calibration(1.7, -0.4)
    for logit in (-3.0, 0.0, 2.5):
        assert calibration.logit(calibration.probability(logit)) == pytest.approx(logit)
    with pytest.raises(ValueError, match="between 0 and 1"):
        calibration.logit(1.0)


@pytest.mark.parametrize(("probability", "label", "confidence"), [
    (0.29, "NORMAL", 0.71), (0.3, "UNCERTAIN", 0.7), (0.55, "UNCERTAIN", 0.55),
    (0.6, "PNEUMONIA", 0.6),
])
def test_a_probability_in_the_band_is_uncertain(probability, label, confidence):
    said = label_of(probability, 0.4, Band(0.3, 0.6))
    assert said == (label, pytest.approx(confidence))


def test_no_threshold_makes_a_label_certain_that_the_band_leaves_open():
    band = Band(0.3, 0.6)
    grid = [round(0.01 * i, 2) for i in range(101)]
    for threshold in grid:
        for probability in grid:
            label = label_of(probability, threshold, band)[0]
            if label != "UNCERTAIN":
                # Certain labels are those of the prediction set and of the threshold at once.
                assert label == label_of(probability, threshold)[0]
                assert label == ("PNEUMONIA" if probability >= 0.6 else "NORMAL")
                assert not band.low <= probability < band.high


@pytest.mark.parametrize("ends", [(0.6, 0.4), (-0.1, 0.5), (0.5, 1.2), (math.nan, 0.5)])
def test_impossible_bands(ends):
    with pytest.raises(ValueError, match="uncertain band"):
        Band(*ends)


@pytest.mark.parametrize("card", [{}, {"uncertain": None}])
def test_a_card_without_a_band_has_none(card):
    assert band_of(card) is None


def test_predictive_values_are_shares_of_a_counted_ward():
    # 1000 films, 100 ill: 90 of them found, 180 of 900 well ones called ill.
    ppv, npv = predictive_values(0.9, 0.8, 0.1)
    assert ppv == pytest.approx(90 / 270) and npv == pytest.approx(720 / 730)
    assert predictive_values(0.9, 0.8, 0.0) == (0.0, 1.0)
    assert predictive_values(0.9, 0.8, 1.0) == (1.0, 0.0)
    assert predictive_values(0.0, 1.0, 0.3) == (None, pytest.approx(0.7))
    # Calling everything ill is worth what the ward is; and a rarer disease makes a call weaker.
    assert predictive_values(1.0, 0.0, 0.3) == (pytest.approx(0.3), None)
    values = [predictive_values(0.9, 0.8, prevalence)[0] for prevalence in (0.05, 0.2, 0.5)]
    assert values == sorted(values)


@pytest.mark.parametrize("numbers", [(1.1, 0.5, 0.5), (0.5, -0.1, 0.5), (0.5, 0.5, math.nan)])
def test_predictive_values_of_nonsense(numbers):
    with pytest.raises(ValueError, match="must be a number from 0 to 1"):
        predictive_values(*numbers)
