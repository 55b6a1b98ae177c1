"""The images in examples/: as listed, synthetic, of both lungs, nobody's, and free of warnings."""

import hashlib

import pytest
from PIL import Image

from pneumo.evaluation.localization import ZONES
from pneumo.files import bundled_folder
from pneumo.models.card import read_card
from pneumo.models.checkpoint import available_models
from tools.synthetic.choose import MOST_TEACHING_BYTES, TEACHING, read_cases
from tools.synthetic.distances import real_radiographs, report

FOLDER = bundled_folder("examples")
FOLDERS = {"gallery": FOLDER, TEACHING: FOLDER / TEACHING}


@pytest.fixture(params=FOLDERS)
def folder(request):
    return FOLDERS[request.param]


def test_the_gallery_shows_disease_in_both_lungs_and_two_failures():
    cases = [case for case in read_cases(FOLDER) if not case.get("teaching")]
    sides = [case["opacity"]["side"] for case in cases if case["opacity"]]
    assert min(sides.count("right"), sides.count("left")) >= 2
    assert sum(case["truth"] == "NORMAL" for case in cases) >= 4
    assert sum(case.get("teaching", False) for case in read_cases(FOLDER)) == 2


def test_the_teaching_set_has_as_many_normal_ones_and_all_zones():
    cases = read_cases(FOLDER / TEACHING)
    zones = [f"{c['opacity']['side']} {c['opacity']['zone']}" for c in cases if c["opacity"]]
    assert len(cases) >= 24 and len(zones) == len(cases) // 2 and set(zones) == set(ZONES)
    assert any(r["label"] != c["truth"] for c in cases for r in c["readings"].values())
    total = sum((FOLDER / TEACHING / case["file"]).stat().st_size for case in cases)
    assert total <= MOST_TEACHING_BYTES


def test_every_image_is_the_one_described(folder):
    for case in read_cases(folder):
        path = folder / case["file"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == case["sha256"], case["file"]
        with Image.open(path) as image:
            assert (image.format, image.mode) == ("PNG", "L") and min(image.size) >= 384
            assert "ynthetic" in image.info["Description"]
        assert case["synthetic"] is True and "no patient" in case["caption"]
        shown = (case["file"] + case["caption"]).lower()
        assert not any(word in shown for word in ("normal", "pneumonia", "opacity"))
        assert case["distance"] >= case["distance_limit"] > 0
        assert (case["truth"] == "PNEUMONIA") == (case["opacity"] is not None)


def test_the_readings_are_those_of_the_bundled_weights_and_nothing_else_is_shipped(folder):
    bundled = {name: read_card(name).weights.sha256 for name in available_models()}
    cases = read_cases(folder)
    for case in cases:
        assert {n: r["weights_sha256"] for n, r in case["readings"].items()} == bundled
    files = {path.name for path in folder.iterdir() if path.is_file()}
    assert files == {"cases.json", *(case["file"] for case in cases)}


@pytest.mark.slow
def test_every_image_is_nobodys(folder, data_root):
    assert report(folder, read_cases(folder), real_radiographs(data_root)) == 0
