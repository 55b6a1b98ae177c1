"""What validation decides about a network, from its films to the parts of its card."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from pneumo.data.dataset import films, labels, load_squares
from pneumo.data.memory import Films
from pneumo.evaluation import thresholds
from pneumo.models.networks import build
from pneumo.models.preprocess import Preprocessing
from pneumo.reading.decision import Band, band_of
from pneumo.training import finish

SIZE = 48


@pytest.fixture(scope="module")
def judged(drawn_dataset) -> dict:
    """The verdict on a random network and the drawn train films."""
    torch.manual_seed(0)
    network, preprocessing = build("cnn").eval(), Preprocessing(SIZE)
    table = films(drawn_dataset, "train")
    squares = load_squares(table, preprocessing)
    return finish.judge(network, Films(squares, labels(table), {}), preprocessing,
                        [film.group for film in table])


def test_the_verdict_is_json_and_complete(judged):
    assert set(judged) == {"calibration", "calibration_check", "operating_points", "uncertain",
                           "curve", "heat", "metrics"}
    assert json.loads(json.dumps(judged, allow_nan=False)) == judged
    assert len(judged["metrics"]["validation"]) == 1 + len(finish.STRENGTHS)
    check = judged["calibration_check"]
    assert check["folds"] == 5 and 0 <= check["ece"] <= 1


def test_the_band_holds_the_balanced_threshold(judged):
    band = band_of(judged)
    threshold = judged["operating_points"]["balanced"]["threshold"]
    assert band.low <= threshold <= band.high and band == band.around(threshold)
    assert isinstance(band, Band)


def test_intervals_count_films_and_not_copies(judged):
    for point in judged["operating_points"].values():
        ns = [point["validation"][rate]["n"] for rate in ("sensitivity", "specificity")]
        assert ns == [36, 24]
        for rate in point["validation"].values():
            assert np.isfinite([rate["low"], rate["high"]]).all()
            assert rate["low"] <= rate["value"] <= rate["high"]


def test_every_series_of_normal_films_decides(drawn_dataset, monkeypatch):
    monkeypatch.setattr(thresholds, "FEWEST_OF_A_SERIES", 10)
    torch.manual_seed(0)
    network, preprocessing = build("cnn").eval(), Preprocessing(SIZE)
    table = films(drawn_dataset, "train")
    held = Films(load_squares(table, preprocessing), labels(table), {})
    series = ["" if film.label else ("IM", "NORMAL2-IM")[i % 2] for i, film in enumerate(table)]
    judged = finish.judge(network, held, preprocessing, None, series)
    for point in judged["operating_points"].values():
        parts = point["specificity_by_series"]
        assert {name: part["n"] for name, part in parts.items()} == {"IM": 12, "NORMAL2-IM": 12}
        mean = np.mean([part["value"] for part in parts.values()])
        assert mean == pytest.approx(point["validation"]["specificity"]["value"])
    assert "worse series" in judged["uncertain"]["rule"]
    assert json.loads(json.dumps(judged, allow_nan=False)) == judged
