"""The input check: what is refused and warned of, what a refusal shows, which file is accepted."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pneumo.imaging.messages import LATERAL_NOTE
from pneumo.imaging.radiograph import Radiograph, read_radiograph
from pneumo.models.card import BUNDLED, CheckpointError
from pneumo.reading.checks import SENTENCES
from pneumo.reading.descriptor import describe, thumbnail
from pneumo.reading.input_check import FILE, InputCheck, load_input_check
from pneumo.reading.quality import find_text
from pneumo.reading.reader import Reader
from tests.cards import made_up_check, write_check
from tests.radiographs import synthetic
from tools.input_check.images import DRAWN, drawn


@pytest.fixture
def checkpoint(stand_in, tmp_path):
    """A stand-in network in a folder of its own, where an input check can be put."""
    for path in stand_in.folder.glob(f"{stand_in.name}*"):
        shutil.copy(path, tmp_path)
    return replace(stand_in, folder=tmp_path)


@pytest.fixture
def radiograph():
    return Radiograph(synthetic(1, 256), "test")


def codes(checks) -> dict[str, str]:
    """Code -> outcome of what has not passed."""
    return {one.code: one.outcome for one in checks if one.outcome != "passed"}


def test_a_refusal_names_the_check_and_shows_nothing_else(checkpoint, radiograph):
    write_check(checkpoint.folder, chest=-1.0)
    reading = Reader(checkpoint).read_radiograph(radiograph)
    assert reading.status == "refused" and reading.reason == SENTENCES["chest.not_frontal"]
    assert codes(reading.checks) == {"chest.not_frontal": "failed"}
    shown = (reading.probability, reading.label, reading.confidence, reading.evidence)
    assert shown == (None,) * 4
    assert json.loads(json.dumps(reading.record()))["checks"][0]["code"] == "chest.not_frontal"


def test_a_refused_image_is_analyzed_on_request_and_says_so(checkpoint, png_path):
    write_check(checkpoint.folder)
    plain = Reader(checkpoint).predict(png_path)
    write_check(checkpoint.folder, chest=-1.0)
    lenient = Reader(checkpoint, input_check=False)
    forced = [Reader(checkpoint).examine(png_path, input_check=False)[1], lenient.predict(png_path)]
    for reading in forced:
        assert reading.ok and reading.probability == plain.probability
        overridden = {"chest.not_frontal": "failed", "input_check.overridden": "warned"}
        assert codes(reading.checks) == overridden
    assert lenient.examine(png_path, input_check=True)[1].status == "refused"


@pytest.mark.parametrize(
    ("made_up", "found"),
    [
        ({}, {}),
        ({"limit": -100.0}, {"chest.not_frontal": "failed"}),
        ({"mirrored": 1.0}, {"upright.mirrored": "warned"}),
        ({"cropped": 1.0}, {"whole.cropped": "warned"}),
        ({"adult": 1.0, "mirrored": 1.0}, {"population.adult": "warned"}),
    ],
)
def test_every_score_has_its_check(radiograph, made_up, found):
    assert codes(InputCheck(made_up_check(**made_up)).examine(radiograph)) == found
    lateral = replace(radiograph, notes=(LATERAL_NOTE,))
    assert codes(InputCheck(made_up_check()).examine(lateral)) == {"chest.lateral": "failed"}


def test_a_turned_radiograph_is_told_by_how_much(radiograph):
    upright = describe(thumbnail(radiograph.pixels)[None])[0]
    weights = tuple((upright / 1000).tolist())
    file = made_up_check()
    file = replace(file, chest=replace(file.chest, weights=weights))
    for quarters, found in ((1, "turned_90"), (2, "turned_180"), (3, "turned_270")):
        pixels = np.ascontiguousarray(np.rot90(radiograph.pixels, -quarters))
        checks = InputCheck(file).examine(Radiograph(pixels, "test"))
        assert codes(checks) == {f"upright.{found}": "warned"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda p: p[:20], "size.tiny"),
        (lambda p: p[::2, ::2], "size.small"),
        (lambda p: p[:, 80:176], "shape.long"),
        (lambda p: 90 + p // 4, "contrast.low"),
        (lambda p: 90 + p // 90, "contrast.blank"),
    ],
)
def test_what_is_unusual_in_any_image_is_named(radiograph, change, code):
    image = Radiograph(np.ascontiguousarray(change(radiograph.pixels)), "test")
    (found,) = (one for one in InputCheck(made_up_check()).examine(image) if one.code == code)
    height, width = image.pixels.shape
    assert found.values in ({}, {"width": width, "height": height})


def test_text_is_found_and_a_side_marker_is_not():
    pixels = synthetic(4, 768)
    assert find_text(pixels).total == 0  # it has an R
    cv2.putText(pixels, "DOE JANE 12.04.2019", (30, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 255, 2)
    assert find_text(pixels).longest >= 10


@pytest.mark.parametrize("kind", DRAWN)
def test_the_bundled_check_refuses_drawings(kind):
    checks = load_input_check(BUNDLED).examine(Radiograph(drawn(kind, 1000), "test"))
    assert "failed" in codes(checks).values()


def seen(paths: list[Path]) -> list[dict[str, str]]:
    """What the bundled check says of images; the test is skipped where there are none."""
    if not paths:
        pytest.skip("these images are not beside the dataset")
    bundled = load_input_check(BUNDLED)
    return [codes(bundled.examine(read_radiograph(path))) for path in paths]


def test_the_bundled_check_takes_radiographs_of_children(data_root):
    for found in seen(sorted((data_root / "train").glob("*/*.jpeg"))[::400]):
        assert "failed" not in found.values()


def test_the_bundled_check_marks_or_refuses_radiographs_of_adults(data_root):
    for found in seen(sorted((data_root.parent / "adult_nih" / "images").glob("*"))[:10]):
        assert "population.adult" in found or "failed" in found.values()


def test_the_bundled_check_refuses_hands(data_root):
    for found in seen(sorted((data_root.parent / "not_chest" / "Hand").glob("*"))[:10]):
        assert "failed" in found.values()


def test_a_missing_check_is_an_error_unless_it_is_switched_off(checkpoint, radiograph, monkeypatch):
    monkeypatch.setattr("pneumo.reading.input_check.BUNDLED", checkpoint.folder)
    with pytest.raises(CheckpointError, match=FILE):
        Reader(checkpoint)
    reading = Reader(checkpoint, input_check=False).read_radiograph(radiograph)
    assert reading.ok and codes(reading.checks) == {"input_check.off": "warned"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 2}', "\ufffd"])
def test_a_damaged_check_is_an_error(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(CheckpointError, match=FILE):
        load_input_check(tmp_path)


def test_another_check_than_the_cards_is_an_error(checkpoint):
    write_check(checkpoint.folder)
    digest = load_input_check(checkpoint.folder).sha256
    bound = replace(checkpoint, card=replace(checkpoint.card, input_check_sha256=digest))
    assert Reader(bound).input_check.sha256 == digest
    write_check(checkpoint.folder, chest=2.0)
    with pytest.raises(CheckpointError, match="released with"):
        Reader(bound)
    assert Reader(bound, input_check=False).input_check is None
