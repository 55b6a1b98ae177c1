"""The pictures in examples/: as listed, synthetic, half and half, nobody's."""

import hashlib
from pathlib import Path

import pytest
from PIL import Image

from tools.synthetic.__main__ import report
from tools.synthetic.cases import LARGEST_BYTES, read_cases
from tools.synthetic.distances import real_radiographs

FOLDER = Path(__file__).resolve().parents[3] / "examples"


@pytest.fixture(scope="module")
def cases():
    return read_cases(FOLDER)


def test_there_are_as_many_of_each_class(cases):
    truths = [case["truth"] for case in cases]
    assert len(truths) >= 8
    assert truths.count("NORMAL") == truths.count("PNEUMONIA")


def test_every_picture_is_the_one_described(cases):
    for case in cases:
        path = FOLDER / case["file"]
        data = path.read_bytes()
        assert hashlib.sha256(data).hexdigest() == case["sha256"], case["file"]
        assert len(data) <= LARGEST_BYTES
        with Image.open(path) as picture:
            assert (picture.format, picture.mode) == ("PNG", "L") and min(picture.size) >= 512
        assert case["synthetic"] is True and "no patient" in case["caption"]
        assert case["distance"] >= case["distance_limit"] > 0


def test_nothing_else_is_shipped(cases):
    pictures = {path.name for path in FOLDER.iterdir() if path.is_file()}
    assert pictures == {"cases.json", *(case["file"] for case in cases)}


@pytest.mark.slow
def test_every_film_is_nobodys(cases, data_root):
    assert report(FOLDER, cases, real_radiographs(data_root)) == 0
