"""Metrics against scikit-learn and against cases that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, recall_score, roc_auc_score

from pneumo.training.finish import fit_calibration, operating_thresholds, rates
from pneumo.training.metrics import confusion, expected_calibration_error, reliability, score


@pytest.fixture
def films():
    rng = np.random.default_rng(1)
    y = (rng.random(400) < 0.6).astype(int)
    return y, np.clip(rng.normal(0.35 + 0.3 * y, 0.2), 0, 1)


def test_values_are_scikit_learns(films):
    y, p = films
    result = score(y, p, 0.5, resamples=50)
    calls = p >= 0.5
    assert result["accuracy"]["value"] == pytest.approx(accuracy_score(y, calls))
    assert result["sensitivity"]["value"] == pytest.approx(recall_score(y, calls))
    assert result["specificity"]["value"] == pytest.approx(recall_score(1 - y, ~calls))
    assert result["auc"]["value"] == pytest.approx(roc_auc_score(y, p))
    assert result["brier"]["value"] == pytest.approx(brier_score_loss(y, p))
    assert sum(result["confusion"].values()) == result["n"] == 400


def test_intervals_hold_the_value_and_shrink_with_more_films(films):
    y, p = films
    few, many = score(y, p, 0.5, 300), score(np.tile(y, 9), np.tile(p, 9), 0.5, 300)
    for name in ("accuracy", "auc", "ece"):
        if name != "ece":  # a bootstrap ECE is biased upward and need not hold its value
            assert few[name]["low"] <= few[name]["value"] <= few[name]["high"]
        width = [r[name]["high"] - r[name]["low"] for r in (few, many)]
        assert width[1] < width[0]
    assert score(y, p, 0.5, 50) == score(y, p, 0.5, 50)


def test_confusion_by_hand():
    counts = confusion([1, 1, 1, 0, 0], [1, 0, 1, 1, 0])
    assert list(counts.values()) == [2, 1, 1, 1]


def test_confusion_intervals_hold_the_counts(films):
    y, p = films
    result = score(y, p, 0.5, 200)
    for name, count in result["confusion"].items():
        interval = result["confusion_intervals"][name]
        assert interval["low"] < count < interval["high"]


def test_ece_by_hand():
    # Two bins: 0.25 says 25 % and 50 % come true; 0.85 says 85 % and all come true.
    y, p = np.array([0, 1, 1, 1]), np.array([0.25, 0.25, 0.85, 0.85])
    assert expected_calibration_error(y, p) == pytest.approx(0.5 * 0.25 + 0.5 * 0.15)
    assert expected_calibration_error(np.array([0, 1]), np.array([0.0, 1.0])) == 0


def test_reliability_accounts_for_every_film_and_for_the_ece(films):
    y, p = films
    bins = reliability(y, p)
    assert sum(b["n"] for b in bins) == len(y)
    assert all(b["low"] <= b["probability"] <= b["high"] for b in bins)
    gap = sum(b["n"] * abs(b["probability"] - b["frequency"]) for b in bins) / len(y)
    assert gap == pytest.approx(expected_calibration_error(y, p))


def test_calibration_recovers_the_truth():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 40_000)
    y = rng.random(40_000) < 1 / (1 + np.exp(-(0.5 * logits)))
    fitted = fit_calibration(logits, y)
    assert fitted.slope == pytest.approx(0.5, abs=0.02)
    assert fitted.offset == pytest.approx(0, abs=0.05)


def test_operating_points_keep_their_promise(films):
    y, p = films
    points = operating_thresholds(p, y)
    at = {name: rates(y, p, point["threshold"]) for name, point in points.items()}
    assert at["high_sensitivity"]["sensitivity"]["value"] >= 0.97
    assert at["high_specificity"]["specificity"]["value"] >= 0.97
    gap = at["balanced"]["sensitivity"]["value"] - at["balanced"]["specificity"]["value"]
    assert abs(gap) < 0.02
    order = [points[n]["threshold"] for n in ("high_sensitivity", "balanced", "high_specificity")]
    assert order == sorted(order)


def test_rates_have_exact_intervals():
    # 0 of 20 missed: the exact 95 % interval begins at 0.025 ** (1 / 20).
    y = np.array([1] * 20 + [0])
    result = rates(y, np.ones(21), 0.5)["sensitivity"]
    assert (result["value"], result["high"]) == (1.0, 1.0)
    assert result["low"] == pytest.approx(0.025 ** (1 / 20))
