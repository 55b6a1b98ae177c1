"""The report: it prints what the screen says and complains of nothing."""

import base64
import logging
import warnings

import pytest

from pneumo.models.checkpoint import available_models
from pneumo.reporting.report import printable
from pneumo.ui.report import page_of, report
from pneumo.ui.schemas import parse

ODD = "Zebrowska \ud83d lone, \U0001f600 face, \u6f22\u5b57, \x07 bell, \ufdd0, \x00"


@pytest.fixture
def image(store, png):
    return store.put(png)


def wish(image, **fields) -> dict:
    """What the page asks for."""
    names = ",".join(available_models())
    return {"models": names, "token": image.token, "check": "off", "drawn": names, **fields}


def test_letters_that_cannot_be_printed_leak_nothing_and_break_nothing(store, image, caplog, capfd):
    with warnings.catch_warnings(record=True) as noted, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        made = report(store, wish(image, comment=ODD))
    assert base64.b64decode(made["pdf"]).startswith(b"%PDF")
    assert [str(one.message) for one in noted if "lyph" in str(one.message)] == []
    said = "".join(capfd.readouterr()) + caplog.text
    assert "Zebrowska" not in said and "GRINNING" not in said
    assert printable("Grüße é \ud83d") == "Grüße é \u25a1"


def test_it_says_what_the_screen_says(store, image):
    fields = {"policy": "custom", "rule_out": "0", "rule_in": "100", "prevalence": "20"}
    assert base64.b64decode(report(store, wish(image, **fields))["pdf"]).startswith(b"%PDF")
    page = page_of(store, image, parse(wish(image, **fields)))
    assert len(page.columns) == len(available_models()) == len(page.panels) - 1
    assert all(column.label == "Indeterminate" for column in page.columns)
    assert all("20.0 %" in column.lines[0] for column in page.columns)
    assert len(page_of(store, image, parse(wish(image, drawn=""))).panels) == 1


@pytest.mark.parametrize(
    "fields",
    [{"token": "gone"}, {"models": "nobody"}, {"policy": "custom", "rule_out": "x"},
     {"prevalence": "0"}, {"token": {"a": 1}}],
)  # fmt: skip
def test_what_cannot_be_printed_is_a_sentence(store, image, fields):
    assert report(store, wish(image) | fields)["error"].endswith(".")
