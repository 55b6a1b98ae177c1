"""The second tab: one image a request, and labels decided anew without it."""

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


def test_rows_are_decided_anew_as_if_they_were_analyzed_with_that_choice(store, png):
    reply = brief(store, sent(png))
    assert reply["png"] and store.tidy() == 0, "it is not kept"
    first = reply["rows"]
    choice = {"policy": "custom", "rule_out": "10", "rule_in": "90", "prevalence": "20", "at": "20"}
    cases = [[row["model"], row["balanced"]] for row in first]
    again = decided(store, {"models": available_models()[0], "cases": cases, **choice})
    assert again["numbers"] == {"prevalence": "20", "rule_out": "10", "rule_in": "90"}
    expected = brief(store, sent(png, **choice))["rows"]
    for before, row, whole in zip(first, again["rows"], expected, strict=True):
        assert {**before, **row, "seconds": 0} == {**whole, "seconds": 0}
