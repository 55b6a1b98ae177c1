"""The second tab: one image a request, and labels decided anew without it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from pneumo.models.checkpoint import available_models
from pneumo.ui.batch import brief, decided
from pneumo.ui.store import ImageStore


@pytest.fixture(scope="module")
def store(networks) -> ImageStore:
    return ImageStore()


def sent(image: bytes, **fields):
    fields = {"models": ",".join(available_models()), "check": "off", **fields}
    return SimpleNamespace(data=fields, files=[("image", image)])


def test_an_image_is_analyzed_by_each_model_and_not_kept(store, png):
    reply = brief(store, sent(png))
    json.dumps(reply)
    assert [row["model"] for row in reply["rows"]] == list(available_models())
    assert all(row["status"] == "ok" and row["says"] and row["percent"] for row in reply["rows"])
    assert reply["png"] and store.tidy() == 0
    bad = brief(store, sent(b"no image"))
    assert all(row["status"] == "error" and row["reason"].endswith(".") for row in bad["rows"])
    assert not bad["png"]


def test_rows_are_decided_anew_as_if_they_were_analyzed_with_that_choice(store, png):
    first = brief(store, sent(png))["rows"]
    choice = {"policy": "custom", "rule_out": "10", "rule_in": "90", "prevalence": "20", "at": "20"}
    cases = [[row["model"], row["balanced"]] for row in first]
    again = decided(store, {"models": available_models()[0], "cases": cases, **choice})
    assert again["numbers"] == {"prevalence": "20", "rule_out": "10", "rule_in": "90"}
    expected = brief(store, sent(png, **choice))["rows"]
    for before, row, whole in zip(first, again["rows"], expected, strict=True):
        assert {**before, **row, "seconds": 0} == {**whole, "seconds": 0}


@pytest.mark.parametrize("data", [None, {}, {"models": "cnn", "cases": 5},
                                  {"models": "cnn", "cases": [["cnn", "x"]]},
                                  {"models": "cnn", "cases": [["cnn", 7.0]]},
                                  {"models": "cnn", "cases": [["nobody", 0.5]]},
                                  {"models": "cnn", "cases": [], "prevalence": "500"}])  # fmt: skip
def test_an_odd_request_is_a_sentence(store, data):
    assert decided(store, data)["reason"].endswith(".")
    if not data:
        assert brief(store, data)["reason"].endswith(".")
