"""The third tab: the sections of the model card, with a list of contents."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import gradio as gr

from pneumo.models.card import Card, CheckpointError, read_card
from pneumo.models.checkpoint import available_models
from pneumo.reading.input_check import InputCheckFile, load_input_check
from pneumo.reporting.sections import Block, Bullets, Table, sections
from pneumo.ui.texts import text


def model_card() -> gr.HTML:
    """The component of the third tab; to be called inside a Blocks context."""
    cards = []
    for name in available_models():
        try:
            cards.append(read_card(name))
        except CheckpointError:
            continue
    try:
        check = load_input_check().file
    except CheckpointError:
        check = None
    return gr.HTML(value=page(cards, check), apply_default_css=False, elem_id="model-card")


def page(cards: Sequence[Card], check: InputCheckFile | None = None) -> str:
    """The whole tab as HTML.

    Args:
        cards: of the networks shown; what one lacks is left out.
        check: the input check.
    """
    if not cards:
        return f'<article class="pn-card"><p>{escape(text("model.none"))}</p></article>'
    parts = sections(cards, check)
    links = "".join(
        f'<li><a href="#pn-card-{number}">{escape(part.title)}</a></li>'
        for number, part in enumerate(parts)
    )
    bodies = "".join(
        f'<section id="pn-card-{number}"><h2>{escape(part.title)}</h2>'
        + "".join(_block(part.title, block) for block in part.blocks)
        + "</section>"
        for number, part in enumerate(parts)
    )
    contents = escape(text("card.contents"))
    return (
        f'<article class="pn-card"><nav aria-label="{contents}"><ul>{links}</ul></nav>'
        f"<div>{bodies}</div></article>"
    )


def _block(title: str, block: Block) -> str:
    if isinstance(block, Bullets):
        return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in block.items) + "</ul>"
    if isinstance(block, Table):
        return _table(title, block)
    return f"<p>{escape(block)}</p>"


def _table(title: str, table: Table) -> str:
    """A table that scrolls where it is too wide."""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.head)
    rows = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in table.rows
    )
    return (
        f'<div class="pn-scroll" tabindex="0" role="region" aria-label="{escape(title)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
