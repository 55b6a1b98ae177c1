"""The reading room: the first tab as one Gradio component, drawn and driven in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import gradio as gr

from pneumo.imaging.film import MAX_BYTES
from pneumo.ui.assets_text import asset, script
from pneumo.ui.cards import page_cards
from pneumo.ui.desk import Desk
from pneumo.ui.examples import Example, gallery
from pneumo.ui.exchange import answer
from pneumo.ui.many import MOST
from pneumo.ui.report_request import report
from pneumo.ui.texts import filled

SCRIPTS = (
    "core.js", "viewer.js", "pointer.js", "stage.js", "toolbar.js", "judge.js", "answer.js",
    "controls.js", "drop.js", "intake.js", "report.js", "room.js",
)


def reading_room(desk: Desk, examples: Sequence[Example]) -> gr.HTML:
    """The component of the first tab; to be called inside a Blocks context."""
    thumbnails = lru_cache(maxsize=1)(lambda: gallery(examples))

    def read(data):
        return answer(desk, examples, data)

    def show_examples(data):
        return thumbnails()

    def print_report(data):
        return report(desk, data)

    return gr.HTML(
        html_template=filled(asset("room.html")),
        js_on_load=script(SCRIPTS, "startRoom(element, server);", cards=page_cards(),
                          limit=MAX_BYTES, most=MOST),
        server_functions=[read, show_examples, print_report],
        apply_default_css=False,
        elem_id="reading-room",
    )
