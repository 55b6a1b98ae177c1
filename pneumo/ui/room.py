"""The reading room: the first tab as one Gradio component, drawn and driven in the browser."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import gradio as gr

from pneumo.imaging.film import MAX_BYTES
from pneumo.ui.cards import page_cards
from pneumo.ui.desk import Desk
from pneumo.ui.examples import Example, gallery
from pneumo.ui.exchange import answer
from pneumo.ui.texts import ENGLISH, filled

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = (
    "core.js", "viewer.js", "pointer.js", "stage.js", "toolbar.js", "judge.js", "answer.js",
    "controls.js", "intake.js", "room.js",
)


def asset(name: str) -> str:
    """The text of a file in the assets folder."""
    return (ASSETS / name).read_text(encoding="utf-8")


def script(names: Sequence[str], start: str, **facts: object) -> str:
    """Several script files as one closed function body for `js_on_load`.

    Args:
        names: files of the assets folder, in order; they see each other's definitions.
        start: the statement that begins.
        **facts: constants the scripts find in FACTS, besides the catalogue in FACTS.texts.
    """
    constants = json.dumps({"texts": ENGLISH, **facts})
    return "\n".join([f"const FACTS = {constants};", *(asset(name) for name in names), start])


def reading_room(desk: Desk, examples: Sequence[Example]) -> gr.HTML:
    """The component of the first tab; to be called inside a Blocks context."""
    thumbnails = lru_cache(maxsize=1)(lambda: gallery(examples))

    def read(data):
        return answer(desk, examples, data)

    def show_examples(data):
        return thumbnails()

    return gr.HTML(
        html_template=filled(asset("room.html")),
        js_on_load=script(SCRIPTS, "startRoom(element, server);", cards=page_cards(),
                          limit=MAX_BYTES),
        server_functions=[read, show_examples],
        apply_default_css=False,
        elem_id="reading-room",
    )
