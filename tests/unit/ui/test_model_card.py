"""The model card tab: every section of the card, reached from a list, and no markup of its own."""

from dataclasses import replace

import pytest

from pneumo.models.card import read_card
from pneumo.models.checkpoint import available_models
from pneumo.ui.model_card import page


@pytest.fixture
def card(networks):
    return read_card(available_models()[0])


def test_what_a_card_says_cannot_become_markup(card):
    shown = page([replace(card, title="<img src=x onerror=alert(1)>")])
    assert "<img" not in shown and "&lt;img" in shown


def test_no_card_is_a_sentence():
    assert "train.py" in page([])
