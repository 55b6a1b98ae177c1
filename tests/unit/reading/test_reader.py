"""Reader and Reading: one film in, one consistent record out, whatever the file."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from pneumo.imaging.phantom import phantom
from pneumo.imaging.radiograph import Radiograph
from pneumo.models.checkpoint import CheckpointError
from pneumo.reading.reader import Reader


def test_reading_of_a_film(stand_in, film_png):
    reading = Reader(stand_in).read(film_png)
    assert reading.ok and reading.reason == ""
    assert 0 <= reading.probability <= 1
    assert reading.confidence in (reading.probability, 1 - reading.probability)
    assert (reading.label == "PNEUMONIA") == (reading.probability >= reading.threshold)
    assert reading.heat.dtype == np.float32 and reading.heat.ndim == 2
    assert reading.weights_sha256 == stand_in.weights_sha256
    assert reading.seconds > 0


def test_record_is_json_and_names_no_file(stand_in, film_png):
    text = json.dumps(Reader(stand_in).read(film_png).record())
    assert film_png.name not in text and "heat" not in json.loads(text)


@pytest.mark.parametrize(
    "content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n" + b"\0" * 40]
)
def test_bad_files_give_a_reason_and_no_answer(stand_in, content, film_png):
    reader = Reader(stand_in)
    reading = reader.read(content)
    assert reading.status in ("error", "refused") and reading.reason.endswith(".")
    assert reading.probability is reading.label is reading.heat is None
    assert reader.read(film_png).ok


def test_missing_file(stand_in, tmp_path):
    reading = Reader(stand_in).read(tmp_path / "nothing.png")
    assert reading.status == "error" and "nothing.png" not in reading.reason


def test_another_threshold_judges_the_same_reading(stand_in, film_png):
    reading = Reader(stand_in).read(film_png)
    low, high = reading.with_threshold(0.0), reading.with_threshold(1.0)
    assert low.label == "PNEUMONIA" and high.label == "NORMAL"
    assert low.confidence + high.confidence == pytest.approx(1)
    assert low.operating_point == "own" and low.heat is reading.heat
    own = Reader(stand_in, threshold=0.123).read(film_png)
    assert (own.threshold, own.operating_point) == (0.123, "own")


@pytest.mark.parametrize("threshold", [-0.1, 1.1, math.nan, math.inf])
def test_impossible_thresholds(stand_in, threshold):
    with pytest.raises(ValueError, match="from 0 to 1"):
        Reader(stand_in, threshold=threshold)


def test_the_same_film_at_any_size_gives_nearly_the_same_logit(stand_in):
    reader = Reader(stand_in)
    big = phantom(5, size=1024)[0]
    small = stand_in.preprocessing.square(big)
    probabilities = [
        reader.read_radiograph(Radiograph(pixels, "test", ())).probability
        for pixels in (big, small)
    ]
    assert probabilities[0] == pytest.approx(probabilities[1], abs=1e-6)


def test_read_many_keeps_order_and_goes_on_after_bad_files(stand_in, film_png, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"x")
    states = [r.status for r in Reader(stand_in).read_many([film_png, bad, film_png])]
    assert states == ["ok", "error", "ok"]


def test_the_readers_band_is_the_cards_and_travels_with_the_reading(stand_in, film_png):
    plain = Reader(stand_in).read(film_png)
    assert plain.uncertain is None and plain.label in ("NORMAL", "PNEUMONIA")
    p = plain.probability
    ends = {"low": max(0.0, p - 0.01), "high": min(1.0, p + 0.01)}
    card = {**stand_in.card, "uncertain": {**ends, "rule": "made up"}}
    reading = Reader(replace(stand_in, card=card)).read(film_png)
    assert reading.label == "UNCERTAIN" and reading.confidence == max(p, 1 - p)
    assert reading.probability == p and reading.record()["uncertain"] == ends
    assert json.loads(json.dumps(reading.record()))["label"] == "UNCERTAIN"
    for threshold in (0.0, 1.0):  # the film stays open wherever the threshold goes
        assert reading.with_threshold(threshold).label == "UNCERTAIN"


def test_a_broken_band_is_a_sentence(stand_in):
    for wrong in ({"low": 0.2}, [0.2, 0.4], {"low": "x", "high": 1}, {"low": 0.6, "high": 0.4}):
        card = {**stand_in.card, "uncertain": wrong}
        with pytest.raises(CheckpointError, match="uncertain band"):
            Reader(replace(stand_in, card=card))
