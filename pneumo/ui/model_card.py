"""The tab of the model card: what everybody should know, in sight; the rest, one click away."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

import gradio as gr
from jinja2 import Environment
from markdown_it import MarkdownIt

from pneumo.models.card import Card, CheckpointError, read_card
from pneumo.models.checkpoint import available_models
from pneumo.reading.input_check import InputCheckFile, load_input_check
from pneumo.reporting.model_card import body
from pneumo.ui.web import asset

# In sight, in this order.
LEAD = ("Intended use", "Results", "Known failures")


def model_card() -> gr.HTML:
    """The component of the fourth tab; to be called inside a Blocks context."""
    check = None
    with suppress(CheckpointError):
        check = load_input_check().file
    value = page(usable_cards(), check)
    return gr.HTML(value=value, apply_default_css=False, elem_id="model-card")


def usable_cards() -> list[Card]:
    """The cards of all networks but those that must not be used."""
    cards = []
    for name in available_models():
        with suppress(CheckpointError):
            cards.append(read_card(name))
    return cards


def page(cards: Sequence[Card], check: InputCheckFile | None = None) -> str:
    """The whole tab as HTML; what the cards lack is left out."""
    # Markup in a card's own words is escaped, as this parser does unless told otherwise.
    shown = MarkdownIt("js-default").render(body(cards, check))
    shown = re.sub("<tr>\n<td>(.*?)</td>", r'<tr>\n<th scope="row">\1</th>', shown)
    # The part before the first heading introduces the file, not the tab.
    titles_and_parts = re.split("<h2>(.*?)</h2>", shown)[1:] if cards else []
    sections = dict(zip(titles_and_parts[::2], titles_and_parts[1::2], strict=True))
    lead = [title for title in LEAD if title in sections]
    template = Environment(autoescape=True).from_string(asset("model_card.html"))
    return template.render(
        sections=[(title, sections[title]) for title in dict.fromkeys((*lead, *sections))],
        lead=len(lead),
        figures=_figures(cards),
    )


def _figures(cards: Sequence[Card]) -> list[tuple]:
    """Caption, names of the axes and each network's points, 0 to 1, of two curves on the test."""
    roc: dict[str, list] = {}
    reliability: dict[str, list] = {}
    for card in cards:
        if test := card.metrics.test:
            alarms = [1 - value for value in test.curve.specificity]
            roc[card.title] = list(zip(alarms, test.curve.sensitivity, strict=True))
            reliability[card.title] = [(one.probability, one.frequency) for one in test.reliability]
    plots = [
        ("[[card.roc]]", "[[card.roc.across]]", "[[card.roc.up]]", roc.items()),
        (
            "[[card.reliability]]",
            "[[card.reliability.across]]",
            "[[card.reliability.up]]",
            reliability.items(),
        ),
    ]
    return plots if roc else []
