"""The guard at serving: what its checks say, what a refusal shows, which guard file is accepted."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from pneumo.imaging.facts import Facts, count_letters, describe, facts_of
from pneumo.imaging.messages import LATERAL_NOTE
from pneumo.imaging.phantom import phantom
from pneumo.imaging.radiograph import Radiograph
from pneumo.reading.checks import named_warnings
from pneumo.reading.input_check import (
    Guard,
    GuardError,
    Head,
    descriptions,
    fact_checks,
    guard_path,
    load_guard,
    save_guard,
)
from pneumo.reading.reader import Reader


def write_guard(checkpoint, **thresholds):
    """A guard whose heads score 0 for everything: it says yes where a threshold is negative."""
    size = len(describe(np.zeros((224, 224), np.uint8)))
    channels = checkpoint.network.features(torch.zeros(1, 1, 224, 224)).shape[1]
    zeros = np.zeros(size + channels)
    heads = {name: Head(zeros, 0.0, threshold) for name, threshold in thresholds.items()}
    guard = Guard(checkpoint.name, checkpoint.weights_sha256, zeros, zeros + 1, heads)
    save_guard(guard, guard_path(checkpoint))


@pytest.fixture
def checkpoint(stand_in, tmp_path):
    """A stand-in network that has a folder of its own for guards."""
    return replace(stand_in, folder=tmp_path)


@pytest.fixture
def film():
    return Radiograph(phantom(1, 256)[0], "drawn")


def outcomes(reading):
    return {check.name: check.outcome for check in reading.checks}


def test_without_a_guard_films_are_read_with_a_warning(checkpoint, film):
    reading = Reader(checkpoint).read_radiograph(film)
    assert reading.ok and outcomes(reading) == {"guard": "warned"}


def test_a_refusal_names_the_check_and_shows_nothing_else(checkpoint, film, film_png):
    write_guard(checkpoint, chest=1.0)
    for reading in (Reader(checkpoint).read_radiograph(film), Reader(checkpoint).read(film_png)):
        assert reading.status == "refused" and "frontal chest" in reading.reason
        assert outcomes(reading)["chest"] == "failed"
        shown = (reading.probability, reading.label, reading.confidence, reading.evidence)
        assert shown == (None,) * 4
        assert json.loads(json.dumps(reading.record()))["probability"] is None


def test_a_refused_picture_is_read_on_request_and_says_so(checkpoint, film_png):
    plain = Reader(checkpoint).read(film_png)
    write_guard(checkpoint, chest=1.0)
    forced = [
        Reader(checkpoint).examine(film_png, input_check=False)[1],
        Reader(checkpoint, input_check=False).read(film_png),
    ]
    for reading in forced:
        assert reading.ok and reading.probability == plain.probability
        assert outcomes(reading)["chest"] == "failed" and outcomes(reading)["guard"] == "warned"
    assert (
        Reader(checkpoint, input_check=False).examine(film_png, input_check=True)[1].status
        == "refused"
    )


def test_a_passing_film_has_every_check_and_the_same_answer(checkpoint, film):
    plain = Reader(checkpoint).read_radiograph(film)
    write_guard(checkpoint, chest=-1.0, adult=1.0)
    reading = Reader(checkpoint).read_radiograph(film)
    assert set(outcomes(reading).values()) == {"passed"}
    assert reading.probability == plain.probability
    assert np.array_equal(reading.evidence, plain.evidence)


@pytest.mark.parametrize(
    ("head", "check", "word"),
    [
        ("turned 90", "upright", "clockwise"),
        ("turned 180", "upright", "head"),
        ("mirrored", "upright", "mirrored"),
        ("cropped", "whole", "cropped"),
        ("adult", "population", "adult"),
        ("unlike", "population", "differs"),
    ],
)
def test_warnings_are_named_and_the_film_is_read(checkpoint, film, head, check, word):
    write_guard(checkpoint, chest=-1.0, **{head: -1.0})
    reading = Reader(checkpoint).read_radiograph(film)
    warned = [c for c in reading.checks if c.outcome == "warned"]
    assert reading.ok and [c.name for c in warned] == [check] and word in warned[0].detail


def test_of_a_turned_film_only_the_likeliest_turn_is_told():
    (one,) = named_warnings({"turned 90": 0.1, "turned 270": 2.0, "cropped": 9.0, "unlike": 9.0})
    assert one.outcome == "warned" and "anticlockwise" in one.detail


def test_a_declared_lateral_view_is_refused(checkpoint, film):
    write_guard(checkpoint, chest=-1.0)
    reading = Reader(checkpoint).read_radiograph(replace(film, notes=(LATERAL_NOTE,)))
    assert reading.status == "refused" and "lateral" in reading.reason


def test_a_guard_of_other_weights_is_refused_with_the_command(checkpoint):
    write_guard(checkpoint, chest=-1.0)
    other = replace(
        checkpoint,
        card=replace(checkpoint.card, weights=replace(checkpoint.card.weights, sha256="0" * 64)),
    )
    with pytest.raises(GuardError, match=f"guard fit --model {checkpoint.name}"):
        Reader(other)
    assert Reader(other, input_check=False).input_check is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1, "heads": {}}', "\ufffd"])
def test_a_damaged_guard_is_refused(checkpoint, text):
    guard_path(checkpoint).write_text(text)
    with pytest.raises(GuardError, match="damaged"):
        load_guard(checkpoint)


def test_saving_keeps_scores_to_four_digits(checkpoint):
    rng = np.random.default_rng(0)
    mean, scale, weights = rng.normal(size=50), rng.uniform(0.1, 2, 50), rng.normal(size=50)
    guard = Guard(
        checkpoint.name,
        checkpoint.weights_sha256,
        mean,
        scale,
        {"chest": Head(weights, 0.5, -1.0)},
        {"measured": {"auroc": 0.9}},
    )
    save_guard(guard, guard_path(checkpoint))
    again, x = load_guard(checkpoint), rng.normal(size=(20, 50))
    assert again.card == guard.card
    np.testing.assert_allclose(again.scores(x)["chest"], guard.scores(x)["chest"], atol=2e-3)


def test_descriptions_do_not_depend_on_the_batch(stand_in):
    squares = np.stack([phantom(seed, 224)[0] for seed in range(3)])
    with torch.no_grad():
        features = stand_in.network.features(stand_in.preprocessing.tensor(squares))
    together = descriptions(features, squares)
    alone = descriptions(features[1:2], squares[1:2])
    np.testing.assert_allclose(together[1:2], alone, rtol=1e-5)


def good_facts(**changes):
    return replace(Facts(1024, 1024, 0.8, 0), **changes)


@pytest.mark.parametrize(
    ("changes", "name", "outcome"),
    [
        ({"contrast": 0.01}, "contrast", "failed"),
        ({"contrast": 0.2}, "contrast", "warned"),
        ({"height": 20}, "size", "failed"),
        ({"width": 100}, "size", "warned"),
        ({"width": 4000}, "shape", "warned"),
        ({"letters": 30}, "text", "warned"),
    ],
)
def test_facts_that_are_unusual_are_named(changes, name, outcome):
    assert all(check.outcome == "passed" for check in fact_checks(good_facts()))
    found = {check.name: check.outcome for check in fact_checks(good_facts(**changes))}
    assert found[name] == outcome


def test_burnt_in_text_is_counted_and_a_side_marker_is_not():
    import cv2

    film = phantom(4, 768)[0]
    assert count_letters(film) == 0  # it has an R
    cv2.putText(film, "DOE JANE 1999", (30, 700), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 255, 2)
    assert count_letters(film) >= 8


def test_facts_hold_for_any_size_and_for_flat_pictures():
    for shape in ((1, 1), (1, 5000), (3, 2), (3000, 2000)):
        facts = facts_of(np.full(shape, 7, np.uint8))
        assert (facts.height, facts.width) == shape and facts.contrast == 0
    assert np.isfinite(describe(np.zeros((224, 224), np.uint8))).all()
