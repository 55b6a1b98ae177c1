"""The tab of the model card: what everybody should know, in sight; the rest, one click away."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import gradio as gr
from jinja2 import Environment
from markdown_it import MarkdownIt

from pneumo.models.card import Card, CheckpointError, read_card
from pneumo.models.checkpoint import available_models
from pneumo.reading.input_check import InputCheckFile, load_input_check
from pneumo.reporting.model_card import ENGLISH, body
from pneumo.ui.texts import catalogues, language

TEMPLATE = Path(__file__).parent / "assets" / "model_card.html"
# What stands in the page, built once, for the tab in the language of the request.
PLACE = "PNEUMO_CARD"
# In sight, in this order.
LEAD = ("Intended use", "Results", "Known failures")


def model_card() -> gr.HTML:
    """The component of the fourth tab; to be called inside a Blocks context."""
    tab(language())  # Gradio gives up when its page does not answer within three seconds
    return gr.HTML(value=PLACE, apply_default_css=False, elem_id="model-card")


@cache
def tab(spoken: str) -> str:
    """The tab of the bundled or chosen networks in a language, which is that of the request."""
    check = None
    with suppress(CheckpointError):
        check = load_input_check().file
    return page(usable_cards(), check, catalogues()[spoken])


def usable_cards() -> list[Card]:
    """The cards of all networks but those that must not be used."""
    cards = []
    for name in available_models():
        with suppress(CheckpointError):
            cards.append(read_card(name))
    return cards


def page(
    cards: Sequence[Card], check: InputCheckFile | None = None, texts: Mapping[str, str] = ENGLISH
) -> str:
    """The whole tab as HTML, in the language of `texts`; what the cards lack is left out."""
    # Markup in a card's own words is escaped, as this parser does unless told otherwise.
    shown = MarkdownIt("js-default").render(body(cards, check, texts))
    shown = re.sub("<tr>\n<td>(.*?)</td>", r'<tr>\n<th scope="row">\1</th>', shown)
    # The part before the first heading introduces the file, not the tab.
    titles_and_parts = re.split("<h2>(.*?)</h2>", shown)[1:] if cards else []
    sections = dict(zip(titles_and_parts[::2], titles_and_parts[1::2], strict=True))
    titles = [texts.get(f"card.{title}", title) for title in LEAD]
    lead = [title for title in titles if title in sections]
    template = Environment(autoescape=True).from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        sections=[(title, sections[title]) for title in dict.fromkeys((*lead, *sections))],
        lead=len(lead),
        results=titles[1],
        point=texts.get("language.digits", ".")[0],
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
