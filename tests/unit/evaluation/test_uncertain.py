"""The band of UNCERTAIN: the conformal promise, and that its levels are the best there are."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from pneumo.evaluation.thresholds import normal_series, operating_thresholds
from pneumo.evaluation.uncertain import (
    MOST_UNCERTAIN,
    conformal_quantile,
    first_pneumonia,
    last_normal,
    uncertain_band,
)


def prediction_band(y, p, levels, series=None) -> tuple[float, float]:
    normals = normal_series(y, series).values()
    ends = (last_normal(p, normals, levels[0]), first_pneumonia(y, p, levels[1]))
    return tuple(sorted(ends))


def test_the_conformal_quantile_is_the_rank_of_the_literature():
    values = np.arange(1.0, 20.0)  # 19 films: (n + 1) x 0.9 = 18
    assert conformal_quantile(values, 0.1, 19) == 18
    assert conformal_quantile(np.repeat(values, 3), 0.1, 19) == 18
    assert conformal_quantile(values[:8], 0.1, 8) == np.inf


def test_prediction_sets_hold_their_promise_for_new_films():
    # Mean coverage of each class over many draws is at least 1 - alpha, by the theorem.
    rng, alpha, covered = np.random.default_rng(3), 0.1, []
    y = np.arange(80) % 2
    for _ in range(300):
        p, new = (np.clip(rng.normal(0.35 + 0.3 * y, 0.2), 0, 1) for _ in range(2))
        low, high = prediction_band(y, p, (alpha, alpha))
        covered.append((np.mean(new[y == 0] <= high), np.mean(new[y == 1] >= low)))
    error = np.std(covered, axis=0) / np.sqrt(300)
    assert np.all(np.mean(covered, axis=0) >= 1 - alpha - 3 * error)


@pytest.mark.parametrize("spread", [0.05, 0.12, 0.15, 0.4])
def test_the_band_holds_the_threshold_and_leaves_few_uncertain_where_that_is_possible(spread):
    rng = np.random.default_rng(4)
    y = (rng.random(1500) < 0.6).astype(int)
    p = np.clip(rng.normal(0.3 + 0.4 * y, spread), 0, 1)
    threshold = operating_thresholds(p, y)["balanced"]["threshold"]
    band = uncertain_band(y, p, threshold)
    assert 0 <= band["low"] <= threshold <= band["high"] <= 1
    measured, inside = band["validation"], (p >= band["low"]) & (p < band["high"])
    assert measured["uncertain"] == pytest.approx(inside.mean())
    right = (p[~inside] >= threshold) == (y[~inside] == 1)
    assert measured["certain_accuracy"] == pytest.approx(right.mean())
    assert (spread < 0.4) == ("fewest certain answers wrong" in band["rule"])
    for name, level in band["levels"].items():
        assert measured[f"coverage_{name}"] >= 1 - level
    # No other levels that leave as few UNCERTAIN leave fewer certain answers wrong.
    mine = _shares(y, p, band["low"], band["high"])
    assert (mine[1] <= MOST_UNCERTAIN) == (spread < 0.4)
    for levels in product((0.002, 0.01, 0.03, 0.1), repeat=2):
        low, high = prediction_band(y, p, levels)
        wrong, uncertain = _shares(y, p, min(low, threshold), max(high + 1e-4, threshold))
        if spread < 0.4:
            assert uncertain > MOST_UNCERTAIN or wrong >= mine[0] - 2e-3
        else:
            assert uncertain >= mine[1] - 2e-3


def _shares(y: np.ndarray, p: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """Certain and wrong, and UNCERTAIN, both classes counting alike."""
    wrong = ((p[y == 1] < low).mean() + (p[y == 0] >= high).mean()) / 2
    inside = (p >= low) & (p < high)
    return wrong, (inside[y == 1].mean() + inside[y == 0].mean()) / 2


def test_the_band_covers_each_series_of_normal_films():
    rng = np.random.default_rng(8)
    y = np.repeat([0, 0, 1], 400)
    series = np.repeat(["IM", "NORMAL2-IM", ""], 400)
    p = np.clip(rng.normal(np.repeat([0.1, 0.3, 0.8], 400), 0.1), 0, 1)
    band, plain = (uncertain_band(y, p, 0.5, series=given) for given in (series, None))
    for name in ("IM", "NORMAL2-IM"):
        covered = (p[series == name] < band["high"]).mean()
        assert covered >= 1 - band["levels"]["normal"]
    levels = (plain["levels"]["normal"], plain["levels"]["pneumonia"])
    assert prediction_band(y, p, levels, series=series)[1] > prediction_band(y, p, levels)[1]
    assert "its worse series" in band["rule"] and "series" not in plain["rule"]


def test_too_few_films_for_any_promise_leave_everything_above_uncertain():
    y, p = np.array([0, 0, 0, 1, 1, 1]), np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
    band = uncertain_band(y, p, 0.5)
    assert (band["low"], band["high"]) == (0.0, 1.0)
    assert band["validation"]["certain_accuracy"] is None
