"""Presets and calibration keep on validation what they promise."""

import numpy as np
import pytest

from pneumo.evaluation.thresholds import (
    MOST_INDETERMINATE,
    TARGET,
    calibrate,
    check_calibration,
    fix_presets,
    measure_policy,
)
from pneumo.models.probability import Policy


@pytest.fixture(scope="module")
def overlapping():
    """Logits, labels and series of 1,000 radiographs whose classes overlap; one series is hard."""
    rng = np.random.default_rng(3)
    y = np.repeat([0, 1], [300, 700])
    series = np.array(["IM"] * 150 + ["NORMAL2-IM"] * 150 + [""] * 700)
    logits = rng.normal(0, 1.2, 1000) + 2 * (2 * y - 1)
    logits[150:300] += 1.2
    return logits, y, series


@pytest.fixture(scope="module")
def presets(overlapping):
    logits, y, series = overlapping
    p = calibrate(logits, y).probability(logits)
    return fix_presets(p, y, series), p


def test_cautious_misses_few_and_raises_few_alarms_in_each_series(presets, overlapping):
    results, p = presets
    series = overlapping[2]
    cautious = results["cautious"]
    assert cautious.validation.false_negatives.value <= 1 - TARGET + 1e-9
    for name in ("IM", "NORMAL2-IM"):
        assert (p[series == name] >= cautious.policy.rule_in).mean() <= 1 - TARGET + 1e-9


def test_presets_lie_inside_each_other_and_leave_ever_fewer_indeterminate(presets):
    results, _ = presets
    cautious, balanced, decisive = (results[name] for name in ("cautious", "balanced", "decisive"))
    assert (
        cautious.policy.rule_out
        <= balanced.policy.rule_out
        <= decisive.policy.rule_out
        == decisive.policy.rule_in
        <= balanced.policy.rule_in
        <= cautious.policy.rule_in
    )
    shares = [r.validation.indeterminate.value for r in (cautious, balanced, decisive)]
    assert shares[0] > shares[1] > shares[2] == 0
    assert shares[1] <= MOST_INDETERMINATE


def test_an_indeterminate_radiograph_is_neither_found_nor_cleared():
    p = np.array([0.1, 0.5, 0.9, 0.1, 0.5, 0.9])
    y = np.array([0, 0, 0, 1, 1, 1])
    found = measure_policy(Policy("custom", 0.3, 0.7), p, y)
    for rate in (found.sensitivity, found.specificity, found.false_negatives,
                 found.false_positives, found.indeterminate):  # fmt: skip
        assert rate.value == pytest.approx(1 / 3)
    assert found.ppv.value == found.npv.value == 0.5
    assert found.labels["NORMAL"] == {"NORMAL": 1, "INDETERMINATE": 1, "PNEUMONIA": 1}
    nothing = measure_policy(Policy("custom", 0.0, 1.0), p, y)
    assert nothing.ppv is None and nothing.npv is None and nothing.indeterminate.value == 1


def test_calibration_makes_the_odds_those_of_balanced_classes():
    rng = np.random.default_rng(0)
    y = (rng.random(20_000) < 0.8).astype(int)
    logits = rng.normal(0, 1, 20_000) + y  # the log odds at balance are logit - 0.5
    found = calibrate(logits, y)
    assert (found.slope, found.offset) == pytest.approx((1, -0.5), abs=0.05)
    assert check_calibration(logits, y, np.arange(20_000)).ece < 0.02
