"""Metrics: as scikit-learn has them, each inside its own interval."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, recall_score, roc_auc_score

from pneumo.evaluation.metrics import (
    auc_estimate,
    bootstrap_weights,
    calibration_error,
    curve,
    moved,
    proportion,
    reliability,
    score,
)
from pneumo.models.probability import at_prevalence


@pytest.fixture(scope="module")
def scored():
    """Labels and probabilities of 120 radiographs, two of each patient."""
    rng = np.random.default_rng(0)
    y = np.repeat(rng.random(60) < 0.6, 2).astype(int)
    p = np.clip(0.5 + 0.25 * (2 * y - 1) + rng.normal(0, 0.25, 120), 0, 1)
    return y, p


def test_scores_are_those_of_scikit_learn(scored):
    y, p = scored
    found = score(y, p, 0.4)
    called = p >= 0.4
    assert found.accuracy.value == pytest.approx(accuracy_score(y, called))
    assert found.sensitivity.value == pytest.approx(recall_score(y, called))
    assert found.specificity.value == pytest.approx(recall_score(y, called, pos_label=0))
    assert found.auc.value == pytest.approx(roc_auc_score(y, p))
    assert found.brier.value == pytest.approx(brier_score_loss(y, p))
    counts = found.confusion
    assert counts.true_positive + counts.false_negative == found.positives == y.sum()
    assert counts.true_positive == (called & (y == 1)).sum()
    for name in ("accuracy", "sensitivity", "specificity", "auc", "brier", "ece"):
        one = getattr(found, name)
        assert one.low < one.value < one.high
    assert found.sensitivity.n + found.specificity.n == found.accuracy.n == 120


def test_calibration_is_judged_at_the_prevalence_given(scored):
    y, p = scored
    at = score(y, p, 0.5, prevalence=0.9)
    shown = np.array([at_prevalence(float(one), 0.9) for one in p])
    assert at.brier.value == pytest.approx(brier_score_loss(y, shown))
    assert at.auc == score(y, p, 0.5).auc


def test_moving_to_a_prevalence_is_that_of_the_decision():
    p = np.array([0.0, 0.2, 0.5, 1.0])
    assert moved(p, 0.1) == pytest.approx([at_prevalence(float(one), 0.1) for one in p])


def test_patients_are_drawn_with_all_their_radiographs(scored):
    y, _ = scored
    groups = np.arange(120) // 2
    weights = bootstrap_weights(y, groups)
    assert (weights[:, ::2] == weights[:, 1::2]).all()
    assert (weights[:, y == 1].sum(1) == y.sum()).all(), "classes keep their sizes"


def test_copies_of_a_patient_do_not_narrow_an_interval():
    y = np.repeat([0, 1], 40)
    p = np.random.default_rng(1).random(80) + 0.3 * y
    alone = auc_estimate(y, p)
    copied = auc_estimate(np.repeat(y, 4), np.repeat(p, 4), np.repeat(np.arange(80), 4))
    assert copied.value == pytest.approx(alone.value)
    width = alone.high - alone.low
    assert copied.high - copied.low == pytest.approx(width, rel=0.2)


def test_an_exact_interval_has_room_where_nothing_failed():
    none = proportion(0, 10)
    assert (none.value, none.low) == (0, 0) and none.high == pytest.approx(0.3085, abs=1e-4)
    assert proportion(10, 10).high == 1
    of_copies = proportion(7.25, 9.5)  # means over copies
    assert of_copies.low < of_copies.value < of_copies.high and of_copies.n == 10


def test_calibration_error_is_the_gap_between_probability_and_frequency():
    y = np.array([0, 1, 1, 1])
    assert calibration_error(y, np.full(4, 0.75)) == pytest.approx(0)
    assert calibration_error(y, np.full(4, 0.25)) == pytest.approx(0.5)
    assert calibration_error(y, np.array([0.0, 1.0, 1.0, 1.0])) == 0


def test_curve_and_reliability_count_every_radiograph(scored):
    y, p = scored
    rates = curve(y, p)
    assert (rates.sensitivity[0], rates.specificity[0]) == (1, 0)
    assert list(rates.sensitivity) == sorted(rates.sensitivity, reverse=True)
    at = rates.threshold.index(0.4)
    assert rates.sensitivity[at] == pytest.approx((p[y == 1] >= 0.4).mean(), abs=1e-4)
    bins = reliability(y, p)
    assert sum(one.n for one in bins) == 120
    assert all(one.low <= one.probability <= one.high for one in bins)
