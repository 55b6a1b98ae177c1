"""The model card tab: every section of the card, reached from a list, and no markup of its own."""

from dataclasses import replace

import pytest

from pneumo.models.card import read_card
from pneumo.models.checkpoint import available_models
from pneumo.reading.input_check import load_input_check
from pneumo.ui.model_card import page
from pneumo.ui.texts import catalogues


@pytest.fixture
def card():
    return read_card(available_models()[0])


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_section_stands_there_and_in_the_contents(card, language):
    words = catalogues()[language]
    shown = page([card], load_input_check().file, words)
    assert shown.count("<h2>") == shown.count('href="#pn-card-') == 12
    known = words.get("card.Known failures", "Known failures")
    assert shown.index(f"{known}</h2>") < shown.index("<details>")
    assert shown.count("<polyline") == 2 and "nan" not in shown
    assert card.weights.sha256 in shown and 'scope="row"' in shown and "---|" not in shown
    auc = f"{card.metrics.test.scores.auc.value:.3f}"
    assert (auc in shown) == ("sensitivity" in shown) == (language == "en")
    assert (auc.replace(".", ",") in shown) == (language == "de")


def test_what_a_card_says_cannot_become_markup(card):
    shown = page([replace(card, title="<img src=x onerror=alert(1)>")])
    assert "<img" not in shown and "&lt;img" in shown
    shown = page([replace(card, title="[x](javascript:alert(1))")])
    assert 'href="javascript' not in shown


def test_no_card_is_a_sentence():
    assert "[[model.none]]" in page([])
