"""The card: what is written comes back, and whatever is doubtful is refused with one sentence."""

import copy
import json
import math
from dataclasses import replace
from functools import reduce
from operator import getitem

import pytest

from pneumo.models.card import CheckpointError, read_card, record, write_card
from tests.cards import estimate, whole_card


def refusal(folder, text: str | bytes) -> str:
    (folder / "cnn.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CheckpointError) as error:
        read_card("cnn", folder)
    sentence = str(error.value)
    assert "cnn.json" in sentence and "\n" not in sentence
    assert sentence.endswith(".") and len(sentence) < 500
    return sentence


def changed(path: str, value) -> str:
    """The whole card's json with one field, such as "weights.bytes", set to a value."""
    values = copy.deepcopy(record(whole_card()))
    *way, last = path.split(".")
    reduce(getitem, way, values)[last] = value
    return json.dumps(values)


def test_what_is_written_comes_back(tmp_path):
    card = whole_card()
    assert write_card(card, tmp_path) == tmp_path / "cnn.json"
    assert read_card("cnn", tmp_path) == card
    assert card.threshold == 0.5  # the decisive one
    with pytest.raises(CheckpointError, match=r"train\.py --model resnet18"):
        read_card("resnet18", tmp_path)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("weights.bytes", "many", "weights.bytes"),
        ("weights.bytes", True, "weights.bytes"),
        ("weights.sha256", "xyz", "sha256"),
        ("weights.files", ["b.safetensors", "a.safetensors"], "sorted"),
        ("weights.files", ["../elsewhere.safetensors"], "weights.files.0"),
        ("preprocessing.size", 0, "preprocessing"),
        ("calibration.slope", 0, "slope"),
        ("calibration.slope", 10**400, "finite"),
        ("calibration.slope", math.nan, "calibration.slope"),
        ("policies.cautious.policy.rule_out", 0.9, "rule-out"),
        ("policies.cautious.policy.name", "bold", "bold"),
        ("policies.decisive.policy.rule_out", 0.4, "one threshold"),
        ("evidence.scale", -1, "scale"),
        ("metrics.validation.curve.threshold", [0.1], "curve"),
        ("metrics.validation.scores.auc.low", 1.5, "interval"),
        ("data.training.by_kind", {"normal": "four"}, "by_kind.normal"),
        ("training.recipe", {"rate": math.nan}, "training"),
        ("input_check_sha256", "0", "sha256"),
        ("more", 1, "more"),
        ("format", 2, "format"),
    ],
)
def test_a_wrong_field_is_named(tmp_path, path, value, named):
    assert named in refusal(tmp_path, changed(path, value))


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "3", '"card"', "[" * 100_000, '{"a":' * 100_000, b"\xed\xa0\x80",
     changed("training.recipe", 0).replace('"recipe": 0', f'"recipe": {"[" * 300}{"]" * 300}')],
    ids=lambda text: str(text[:12]),
)  # fmt: skip
def test_what_is_no_card_at_all(tmp_path, text):
    refusal(tmp_path, text)


def test_nothing_is_written_that_could_not_be_read(tmp_path):
    card = whole_card()
    bad = replace(card, evidence=replace(card.evidence, scale=math.inf))
    with pytest.raises(CheckpointError, match="cannot be written"):
        write_card(bad, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_map_is_reliable_when_all_measures_of_its_side_reach_their_goals():
    evidence = whole_card().evidence
    assert evidence.reliable_side
    for measure in ("composites_share", "composites_right", "boxes_side_share"):
        row = evidence.localization[measure]
        low = {**evidence.localization, measure: replace(row, network=estimate(0.7))}
        missing = {k: v for k, v in evidence.localization.items() if k != measure}
        for table in (low, missing):
            assert not replace(evidence, localization=table).reliable_side
