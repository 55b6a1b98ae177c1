"""The model card tab: every section of the card, reached from a list, and no markup of its own."""

from dataclasses import replace

import pytest

from pneumo.models.card import read_card
from pneumo.models.checkpoint import available_models
from pneumo.reading.input_check import load_input_check
from pneumo.reporting.sections import Table, sections
from pneumo.ui.model_card import page


@pytest.fixture
def card(networks):
    return read_card(available_models()[0])


def test_every_section_stands_there_and_in_the_contents(card):
    check = load_input_check().file
    shown = page([card], check)
    parts = sections([card], check)
    assert shown.count("<h2>") == shown.count('href="#pn-card-') == len(parts)
    cells = [cell for part in parts for b in part.blocks if isinstance(b, Table) for cell in b.head]
    assert all(cell in shown for cell in cells) and card.weights.sha256 in shown


def test_what_a_card_says_cannot_become_markup(card):
    shown = page([replace(card, title="<img src=x onerror=alert(1)>")])
    assert "<img" not in shown and "&lt;img" in shown


def test_no_card_is_a_sentence():
    assert "train.py" in page([])
