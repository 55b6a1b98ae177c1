"""The bundled networks: one radiograph in any file, their presets, and the bundled examples."""

import json

import pytest

from pneumo.imaging.radiograph import read_radiograph
from pneumo.models.checkpoint import available_models
from pneumo.reading.reader import Reader
from tests.served import ROOT
from tests.unit.imaging.files import dicom_files, picture_files

CASES = json.loads((ROOT / "examples" / "cases.json").read_text())


@pytest.fixture(scope="module", params=available_models())
def reader(request: pytest.FixtureRequest) -> Reader:
    return Reader(request.param)


def test_both_networks_are_bundled():
    assert set(available_models()) >= {"cnn", "resnet18"}


@pytest.mark.parametrize("case", [CASES[0], CASES[-1]], ids=lambda case: case["truth"])
def test_one_radiograph_in_any_file_has_one_probability(reader, case):
    pixels = read_radiograph(ROOT / "examples" / case["file"]).pixels
    plain = reader.predict(ROOT / "examples" / case["file"]).balanced
    for name, data in {**picture_files(pixels), **dicom_files(pixels)}.items():
        reading = reader.predict(data)
        assert reading.ok, f"{name}: {reading.reason}"
        assert reading.balanced == pytest.approx(plain, abs=0.02), name


def test_examples_are_labelled_as_their_table_says(reader):
    assert {case["truth"] for case in CASES} == {"NORMAL", "PNEUMONIA"}
    for case in CASES:
        reading = reader.predict(ROOT / "examples" / case["file"])
        assert reading.ok, f"{case['file']}: {reading.reason}"
        known = case["readings"][reader.name]
        assert (reading.label, reading.weights_sha256) == (
            known["label"],
            known["weights_sha256"],
        ), case["file"]
