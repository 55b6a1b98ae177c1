"""Metrics: as scikit-learn has them, each inside its own interval."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, recall_score, roc_auc_score

from pneumo.evaluation import metrics
from pneumo.evaluation.metrics import auc_estimate, bootstrap_weights, proportion, score


def test_scores_are_those_of_scikit_learn(monkeypatch):
    monkeypatch.setattr(metrics, "RESAMPLES", 100)
    # Labels and probabilities of 120 radiographs, two of each patient.
    rng = np.random.default_rng(0)
    y = np.repeat(rng.random(60) < 0.6, 2).astype(int)
    p = np.clip(0.5 + 0.25 * (2 * y - 1) + rng.normal(0, 0.25, 120), 0, 1)
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


def test_the_interval_of_an_auc_is_that_of_scikit_learns_on_each_resample(monkeypatch):
    monkeypatch.setattr(metrics, "RESAMPLES", 100)
    rng = np.random.default_rng(0)
    y = np.repeat(rng.random(60) < 0.4, 2).astype(int)
    scores = np.round(y + rng.normal(0, 1, 120), 1)  # with ties
    patients = np.arange(120) // 2
    found = auc_estimate(y, scores, patients)
    rows = bootstrap_weights(y, patients)
    areas = [roc_auc_score(y, scores, sample_weight=row) for row in rows]
    assert (found.low, found.high) == pytest.approx(np.percentile(areas, (2.5, 97.5)))
    assert found.value == pytest.approx(roc_auc_score(y, scores))


def test_an_exact_interval_has_room_where_nothing_failed():
    none = proportion(0, 10)
    assert (none.value, none.low) == (0, 0) and none.high == pytest.approx(0.3085, abs=1e-4)
    assert proportion(10, 10).high == 1
    of_copies = proportion(7.25, 9.5)  # means over copies
    assert of_copies.low < of_copies.value < of_copies.high and of_copies.n == 10
