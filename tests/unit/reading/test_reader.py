"""Reader and Reading: one radiograph in, one consistent record out, whatever the file."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import pneumo
from pneumo.models.checkpoint import load_checkpoint
from pneumo.reading.decision import LABELS, PRESETS, Policy, at_prevalence
from pneumo.reading.reader import Reader
from tests.cards import whole_card

KEYS = {
    "source", "model", "weights_sha256", "status", "reason", "probability", "label",
    "confidence", "threshold", "operating_point", "uncertain", "checks", "seconds",
    "prevalence", "rule_out", "rule_in", "zones", "strongest_zone",
}  # fmt: skip


@pytest.fixture
def reader(stand_in) -> Reader:
    return Reader(stand_in, input_check=False)


@pytest.fixture
def reading(reader, png_path):
    return reader.predict(png_path)


def policy_around(probability: float, label: str) -> Policy:
    """A policy by which the balanced probability gets the label."""
    low, high = max(0.0, probability - 1e-3), min(1.0, probability + 1e-3)
    ends = {"NORMAL": (high, high), "INDETERMINATE": (low, high), "PNEUMONIA": (low, low)}
    return Policy("custom", *ends[label])


def test_reading_of_a_radiograph(stand_in, reader, reading):
    assert reading.ok and reading.reason == ""
    assert 0 <= reading.probability <= 1 and reading.label in LABELS
    card, policy = stand_in.card, reader.preset("balanced")
    assert reading.prevalence == card.prevalence and reading.policy == policy
    assert reading.probability == at_prevalence(reading.balanced, card.prevalence)
    assert (reading.rule_out, reading.threshold, reading.rule_in) == tuple(
        at_prevalence(end, card.prevalence)
        for end in (policy.rule_out, card.threshold, policy.rule_in)
    )
    assert reading.evidence.dtype == np.float32 and reading.evidence.ndim == 2
    assert reading.weights_sha256 == stand_in.weights_sha256
    assert reading.seconds > 0


def test_a_record_is_json_with_the_documented_keys_and_names_no_file(reading, reader, png_path):
    for one in (reading, reader.predict(b"no image")):
        record = json.loads(json.dumps(one.record(), allow_nan=False))
        assert set(record) == KEYS
        assert png_path.name not in json.dumps(record)


@pytest.mark.parametrize("content", [b"", b"no image at all", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_bad_files_give_a_reason_and_nothing_else(reader, content, png_path):
    reading = reader.predict(content)
    assert reading.status in ("error", "refused") and reading.reason.endswith(".")
    assert reading.reason_code
    for key in KEYS - {"source", "model", "weights_sha256", "status", "reason", "seconds"}:
        assert not reading.record()[key]
    assert reading.evidence is None
    assert reader.predict(png_path).ok


def test_path_bytes_array_and_pil_image_are_the_same(reader, png_path):
    image = Image.open(png_path)
    held = [png_path, str(png_path), png_path.read_bytes(), image, np.asarray(image)]
    readings = [reader.predict(one) for one in held]
    assert len({one.balanced for one in readings}) == 1
    assert [one.source for one in readings[3:]] == ["PIL image L", "array uint8"]
    with pytest.raises(TypeError, match="expected"):
        reader.predict(3)


def test_another_policy_decides_the_same_reading(reading):
    for label in LABELS:
        other = reading.with_policy(policy_around(reading.balanced, label))
        assert other.label == label
        assert other.evidence is reading.evidence and other.probability == reading.probability
    p = reading.probability
    against = reading.with_policy(policy_around(reading.balanced, "NORMAL"))
    assert against.confidence == pytest.approx(1 - p)


def test_policies_of_a_reader(stand_in):
    for name in PRESETS:
        assert Reader(stand_in, policy=name).policy == stand_in.card.policies[name].policy
    with pytest.raises(ValueError, match=r"bold.*cautious, balanced, decisive"):
        Reader(stand_in, policy="bold")


def test_prevalence_moves_the_probability_and_the_thresholds_but_no_label(stand_in, reading):
    before = 0.0
    for prevalence in (0.01, 0.3, 0.9):
        moved = reading.with_prevalence(prevalence)
        assert moved.label == reading.label
        assert before < moved.probability < 1
        assert moved.rule_out < moved.threshold < moved.rule_in
        before = moved.probability
    assert reading.with_prevalence(0.5).probability == reading.balanced
    assert Reader(stand_in, prevalence=0.05).prevalence == 0.05


def test_zones_are_named_for_a_map_that_tells_the_side(reading):
    assert {(z.lung, z.zone) for z in reading.zones} == {
        (lung, zone) for lung in ("right", "left") for zone in ("upper", "middle", "lower")
    }
    assert 0 <= sum(zone.share for zone in reading.zones) <= 1 + 1e-9
    assert reading.strongest_zone is not None
    assert reading.record()["zones"][0].keys() == {"lung", "zone", "share"}


def test_no_zones_for_a_map_that_does_not_tell_the_side(stand_in, png_path):
    card = whole_card(stand_in.name, weights=stand_in.card.weights, reliable=False)
    reader = Reader(replace(stand_in, card=card), input_check=False)
    reading = reader.predict(png_path)
    assert not reader.card.evidence.reliable_side
    assert reading.zones == () and reading.strongest_zone is None
    assert reading.evidence is not None


def test_load_gives_a_reader(stand_ins, monkeypatch, png_path):
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))
    reader = pneumo.load("cnn", policy="decisive", input_check=False)
    assert reader.predict(png_path).record()["operating_point"] == "decisive"
    with pytest.raises(pneumo.CheckpointError, match="Known: cnn, resnet18"):
        pneumo.load("vgg")


def test_a_damaged_lung_segmenter_is_a_sentence(stand_ins, tmp_path):
    shutil.copytree(stand_ins, tmp_path / "own")
    (tmp_path / "own" / "lungs.safetensors").write_bytes(b"damaged")
    with pytest.raises(pneumo.CheckpointError, match="lung segmenter"):
        Reader(load_checkpoint("cnn", tmp_path / "own"), input_check=False)
