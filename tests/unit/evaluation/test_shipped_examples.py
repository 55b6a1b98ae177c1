"""Tests of the films in examples/: as listed, labelled as synthetic, half and half, nobody's."""

import hashlib
from pathlib import Path

import pytest
from PIL import Image

from pneumo.evaluation.distances import real_films
from pneumo.evaluation.example_cases import LARGEST_BYTES, read_cases
from pneumo.evaluation.examples_command import report
from pneumo.models.checkpoint import read_card

FOLDER = Path(__file__).resolve().parents[3] / "examples"


@pytest.fixture(scope="module")
def cases():
    return read_cases(FOLDER)


def test_there_are_enough_of_both_classes(cases):
    truths = [case["truth"] for case in cases]
    assert len(truths) >= 8
    assert truths.count("NORMAL") == truths.count("PNEUMONIA") == len(truths) // 2
    assert {case["opacity"]["side"] for case in cases if case["opacity"]} == {"right"}


def test_every_film_is_the_one_described_and_says_it_is_synthetic(cases):
    for case in cases:
        path = FOLDER / case["file"]
        data = path.read_bytes()
        assert hashlib.sha256(data).hexdigest() == case["sha256"], case["file"]
        assert len(data) <= LARGEST_BYTES
        with Image.open(path) as picture:
            assert (picture.format, picture.mode) == ("PNG", "L") and not picture.info
            assert min(picture.size) >= 512
        assert case["synthetic"] is True
        assert "Synthetic film, no patient" in case["caption"]
        assert case["distance"] >= case["distance_limit"] > 0
        for name, reading in case["readings"].items():
            open_too = {"UNCERTAIN"} if read_card(name).get("uncertain") else set()
            assert reading["label"] in {case["truth"]} | open_too


def test_nothing_else_is_shipped(cases):
    pictures = {path.name for path in FOLDER.iterdir() if path.is_file()}
    assert pictures == {"cases.json", *(case["file"] for case in cases)}


@pytest.mark.slow
def test_every_film_is_nobodys(cases, data_root):
    assert report(FOLDER, cases, real_films(data_root)) == 0
