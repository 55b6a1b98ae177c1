"""The second tab: one image a request, and labels decided anew without it."""

import json
from types import SimpleNamespace

import cv2
import pytest

from pneumo.imaging.phantom import phantom
from pneumo.models.checkpoint import available_models
from pneumo.ui.batch import brief, decided
from pneumo.ui.store import ImageStore

pytestmark = pytest.mark.usefixtures("networks")


@pytest.fixture(scope="module")
def store():
    return ImageStore()


def sent(image: bytes, **fields):
    fields = {"models": ",".join(available_models()), "check": "off", **fields}
    return SimpleNamespace(data=fields, files=[("image", image)])


def image() -> bytes:
    return cv2.imencode(".png", phantom(1, 256, "right")[0])[1].tobytes()


def test_an_image_is_analyzed_by_each_model_and_not_kept(store):
    reply = brief(store, sent(image()))
    json.dumps(reply)
    assert [row["model"] for row in reply["rows"]] == list(available_models())
    assert all(row["status"] == "ok" and row["says"] and row["percent"] for row in reply["rows"])
    assert reply["png"] and store.tidy() == 0


def test_rows_are_decided_anew_as_if_they_were_analyzed_with_that_choice(store):
    first = brief(store, sent(image()))["rows"]
    choice = {"policy": "custom", "rule_out": "10", "rule_in": "90", "prevalence": "20", "at": "20"}
    cases = [[row["model"], row["balanced"]] for row in first]
    again = decided(store, {"models": available_models()[0], "cases": cases, **choice})
    assert again["numbers"] == {"prevalence": "20", "rule_out": "10", "rule_in": "90"}
    expected = brief(store, sent(image(), **choice))["rows"]
    for before, row, whole in zip(first, again["rows"], expected, strict=True):
        merged = {**before, **row}
        for record in (merged, whole):
            record.pop("seconds")
        assert merged == whole


@pytest.mark.parametrize("content", [b"", b"no image"])
def test_a_bad_image_is_a_row(store, content):
    reply = brief(store, sent(content))
    assert all(row["status"] == "error" and row["reason"].endswith(".") for row in reply["rows"])
    assert not reply["png"]


@pytest.mark.parametrize("data", [None, {}, {"models": "cnn", "cases": 5}, {"models": "cnn"},
                                  {"models": "cnn", "cases": [["cnn", "x"]]},
                                  {"models": "cnn", "cases": [["cnn", 7.0]]},
                                  {"models": "cnn", "cases": [["nobody", 0.5]]},
                                  {"models": "cnn", "cases": [[1, 2, 3]]}])  # fmt: skip
def test_an_odd_request_is_answered(store, data):
    assert brief(store, data)["reason"].endswith(".") if data is None else True
    reply = decided(store, data)
    assert "rows" in reply or reply["reason"].endswith(".")


def test_a_wrong_prevalence_is_told(store):
    reply = decided(store, {"models": "cnn", "cases": [], "prevalence": "500"})
    assert reply["field"] == "prevalence" and reply["reason"].endswith(".")
