"""Reader and Reading: one film in, one consistent record out, whatever the file."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from pneumo.imaging.phantom import phantom
from pneumo.imaging.radiograph import Radiograph
from pneumo.models.calibration import Calibration, label_of
from pneumo.models.reader import Reader


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


def test_calibration_is_monotone_and_bounded():
    logits = np.linspace(-1000, 1000, 401)
    p = Calibration(1.7, -0.4).probability(logits)
    assert np.all(np.diff(p) >= 0) and p[0] == 0 and p[-1] == 1
    assert Calibration(2.0, 1.0).probability(0.5) == pytest.approx(1 / (1 + math.exp(-2)))


def test_a_probability_at_the_threshold_is_pneumonia():
    assert label_of(0.5, 0.5) == ("PNEUMONIA", 0.5)
    assert label_of(0.49, 0.5) == ("NORMAL", 0.51)
