"""Metrics against scikit-learn and against cases that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import accuracy_score, brier_score_loss, recall_score, roc_auc_score

from pneumo.evaluation.metrics import (
    confusion,
    expected_calibration_error,
    reliability,
    resamples,
    score,
    weighted_auc,
)
from pneumo.evaluation.thresholds import (
    FEWEST_OF_A_SERIES,
    TARGET,
    calibration_check,
    fit_calibration,
    normal_series,
    operating_thresholds,
    proportion,
    rates,
)


@pytest.fixture
def films():
    rng = np.random.default_rng(1)
    y = (rng.random(400) < 0.6).astype(int)
    return y, np.clip(rng.normal(0.35 + 0.3 * y, 0.2), 0, 1)


def test_values_are_scikit_learns(films):
    y, p = films
    result = score(y, p, 0.5, count=50)
    calls = p >= 0.5
    assert result["accuracy"]["value"] == pytest.approx(accuracy_score(y, calls))
    assert result["sensitivity"]["value"] == pytest.approx(recall_score(y, calls))
    assert result["specificity"]["value"] == pytest.approx(recall_score(1 - y, ~calls))
    assert result["auc"]["value"] == pytest.approx(roc_auc_score(y, p))
    assert result["brier"]["value"] == pytest.approx(brier_score_loss(y, p))
    assert sum(result["confusion"].values()) == result["n"] == 400


def test_weighted_areas_are_scikit_learns_ties_and_all(films):
    y, p = films
    p = p.round(1)  # ties
    weights = np.vstack([resamples(y, 20), np.random.default_rng(2).random((5, len(y)))])
    areas = weighted_auc(y, p, weights)
    assert areas == pytest.approx([roc_auc_score(y, p, sample_weight=row) for row in weights])


def test_a_resample_holds_as_many_of_each_class(films):
    y, _ = films
    rows = resamples(y, 30, seed=3)
    assert (rows[:, y == 1].sum(1) == y.sum()).all() and (rows.sum(1) == len(y)).all()
    assert rows.std(0).min() > 0 and np.array_equal(rows, resamples(y, 30, seed=3))


def test_a_missing_class_is_not_a_number():
    result = score(np.ones(5, int), np.linspace(0.1, 0.9, 5), 0.5, count=10)
    assert np.isnan(result["auc"]["value"]) and np.isnan(result["specificity"]["low"])
    assert result["sensitivity"]["value"] == 0.6


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
    assert at["high_sensitivity"]["sensitivity"]["value"] >= TARGET
    assert at["high_specificity"]["specificity"]["value"] >= TARGET
    gap = at["balanced"]["sensitivity"]["value"] - at["balanced"]["specificity"]["value"]
    assert abs(gap) < 0.02
    order = [points[n]["threshold"] for n in ("high_sensitivity", "balanced", "high_specificity")]
    assert order == sorted(order) and len(set(order)) == 3


def test_operating_points_differ_even_where_the_balanced_one_is_very_good():
    rng = np.random.default_rng(5)
    y = np.arange(2000) % 2
    p = np.clip(rng.normal(0.2 + 0.6 * y, 0.12), 0, 1)
    points = operating_thresholds(p, y)
    at = {name: rates(y, p, point["threshold"]) for name, point in points.items()}
    assert at["balanced"]["sensitivity"]["value"] > TARGET
    for name, rate in (("high_sensitivity", "sensitivity"), ("high_specificity", "specificity")):
        missed = [1 - at[point][rate]["value"] for point in (name, "balanced")]
        assert missed[0] <= missed[1] / 2
        assert points[name]["rule"].startswith(f"{rate} of at least 0.99")


def test_rates_have_exact_intervals():
    # 0 of 20 missed: the exact 95 % interval begins at 0.025 ** (1 / 20).
    y = np.array([1] * 20 + [0])
    result = rates(y, np.ones(21), 0.5)["sensitivity"]
    assert (result["value"], result["high"]) == (1.0, 1.0)
    assert result["low"] == pytest.approx(0.025 ** (1 / 20))


def test_copies_of_films_do_not_narrow_an_interval(films):
    y, p = films
    assert rates(np.tile(y, 3), np.tile(p, 3), 0.5, copies=3) == rates(y, p, 0.5)


@pytest.mark.parametrize(("k", "n"), [(0, 7), (3, 7), (7, 7), (190, 200)])
def test_a_proportions_interval_ends_where_the_binomial_tail_is_2_5_percent(k, n):
    result = proportion(k, n)
    assert result["low"] <= result["value"] <= result["high"]
    if k:
        assert binom.sf(k - 1, n, result["low"]) == pytest.approx(0.025)
    if k < n:
        assert binom.cdf(k, n, result["high"]) == pytest.approx(0.025)


def test_weights_count_as_copies_do(films):
    y, p = films
    weights = 1.0 + (np.arange(len(y)) % 3)
    copied = [np.repeat(values, weights.astype(int)) for values in (y, p)]
    assert expected_calibration_error(y, p, weights=weights) == pytest.approx(
        expected_calibration_error(*copied)
    )


def test_calibration_is_checked_on_patients_it_was_not_fitted_on():
    rng = np.random.default_rng(2)
    patients = np.repeat(np.arange(300), 3)
    y = np.repeat((rng.random(300) < 0.5).astype(int), 3)
    logits = rng.normal(2 * y - 1, 1.0)
    good = calibration_check(logits, y, patients)
    assert good["folds"] == 5 and 0 < good["ece"] < 0.06
    assert good["ece_classes_alike"] == pytest.approx(good["ece"], abs=0.03)
    # The slope of a signal that turns over between patients does not carry over.
    odd = np.where(patients % 2, -1, 1) * logits
    assert calibration_check(odd, y, patients)["ece"] < 0.1  # it learns to say one half
    # Two patients, one of each class, leave only one class to fit on; one patient none at all.
    for count, folds in ((2, 2), (1, 1)):
        few = np.repeat(np.arange(count), 3)
        check = calibration_check(logits[: 3 * count], few % 2, few)
        assert check["folds"] == folds and check["ece"] is check["ece_classes_alike"] is None


def test_the_promise_holds_in_the_harder_series_of_normal_films():
    rng = np.random.default_rng(8)
    y = np.repeat([0, 0, 1], 400)
    series = np.repeat(["IM", "NORMAL2-IM", ""], 400)
    p = np.clip(rng.normal(np.repeat([0.1, 0.3, 0.7], 400), 0.15), 0, 1)
    points = operating_thresholds(p, y, series)
    parts = normal_series(y, series)
    assert {name: int(part.sum()) for name, part in parts.items()} == {
        "": 800, "IM": 400, "NORMAL2-IM": 400}
    hard = parts["NORMAL2-IM"]
    at = points["balanced"]["threshold"]
    assert abs((p[y == 1] >= at).mean() - (p[hard] < at).mean()) < 0.01
    assert at > operating_thresholds(p, y)["balanced"]["threshold"]
    assert (p[hard] < points["high_specificity"]["threshold"]).mean() >= TARGET
    assert "in which it is lowest" in points["balanced"]["rule"]
    # Which series is the harder one is found out, and copies of films change nothing.
    other = np.repeat(["NORMAL2-IM", "IM", ""], 400)
    assert operating_thresholds(p, y, other) == points
    thrice = [np.tile(values, 3) for values in (p, y, series)]
    assert operating_thresholds(*thrice, copies=3) == points


def test_a_series_of_few_films_decides_nothing():
    y = np.repeat([0, 0, 1], [60, FEWEST_OF_A_SERIES - 1, 60])
    series = np.repeat(["IM", "NORMAL2-IM", ""], [60, FEWEST_OF_A_SERIES - 1, 60])
    assert list(normal_series(y, series)) == list(normal_series(y, None)) == [""]
    # What belongs to none counts among all.
    named = np.repeat(["IM", "NORMAL2-IM", "", ""], [30, 25, FEWEST_OF_A_SERIES + 4, 60])
    found = normal_series(y, named)
    assert {name: part.sum() for name, part in found.items()} == {
        "": 79, "IM": 30, "NORMAL2-IM": 25}
    assert list(normal_series(np.tile(y, 2), np.tile(series, 2), 2)) == [""]
    p = np.linspace(0, 1, len(y))
    assert operating_thresholds(p, y, series) == operating_thresholds(p, y)
