"""Many films: the second tab, one request a film, so that one bad film never stops the rest."""

from __future__ import annotations

import logging

import gradio as gr

from pneumo.imaging.film import MAX_BYTES
from pneumo.models.checkpoint import CheckpointError
from pneumo.ui.assets_text import asset, script
from pneumo.ui.cards import page_cards
from pneumo.ui.desk import Desk
from pneumo.ui.exchange import parse
from pneumo.ui.pictures import thumbnail
from pneumo.ui.texts import filled, text

SCRIPTS = ("core.js", "controls.js", "drop.js", "zip.js", "table.js", "many.js")
MOST = 500


def brief(desk: Desk, data: object) -> dict:
    """One film of many, read and not kept.

    Returns:
        record (as `Reading.record`, status "error" when it was not read) and png, a small
        picture of the film as base64, or "".
    """
    try:
        request = parse(data)
    except (ValueError, TypeError):
        return {"record": {"status": "error", "reason": text("error.nofile")}, "png": ""}
    try:
        film, reading = desk.read_once(
            request.film or b"", request.models[0], request.guard, one_of_many=True
        )
        return {"record": reading.record(), "png": "" if film is None else thumbnail(film)}
    except CheckpointError as error:
        return {"record": {"status": "error", "reason": str(error)}, "png": ""}
    except Exception:
        logging.getLogger(__name__).exception("a film of many could not be read")
        return {"record": {"status": "error", "reason": text("error.server")}, "png": ""}


def many_films(desk: Desk) -> gr.HTML:
    """The component of the second tab; to be called inside a Blocks context."""

    def read_one(data):
        return brief(desk, data)

    return gr.HTML(
        html_template=filled(asset("many.html")),
        js_on_load=script(SCRIPTS, "startMany(element, server);", cards=page_cards(),
                          limit=MAX_BYTES, most=MOST),
        server_functions=[read_one],
        apply_default_css=False,
        elem_id="many-films",
    )
