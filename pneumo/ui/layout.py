"""The page: header, tabs, standing caveat, and how it is launched."""

from __future__ import annotations

import os
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

from pneumo.imaging.film import MAX_BYTES
from pneumo.ui.api import public_events
from pneumo.ui.assets_text import ASSETS, asset
from pneumo.ui.desk import Desk
from pneumo.ui.examples import example_folders, find_examples
from pneumo.ui.many import many_films
from pneumo.ui.model_card import model_card_tab
from pneumo.ui.room import reading_room
from pneumo.ui.security.hosts import allowed_hosts
from pneumo.ui.security.middleware import Gate
from pneumo.ui.security.uploads import Uploads
from pneumo.ui.texts import filled, text
from pneumo.ui.theme import theme

STYLES = ("page.css", "room.css", "stage.css", "many.css", "card.css")


def build_demo(examples: Path | None = None, desk: Desk | None = None) -> gr.Blocks:
    """The whole app.

    Args:
        examples: a folder of own films for the gallery; PNEUMO_EXAMPLES or the bundled ones
            unless given.
        desk: reads the films; a fresh one unless given.
    """
    desk = desk or Desk()
    uploads = Uploads()
    # The gate keeps films off the disk; what Gradio itself should store goes within minutes.
    with gr.Blocks(
        title=text("app.name"), analytics_enabled=False, delete_cache=(60, 120),
        fill_width=True,
    ) as demo:
        gr.HTML(html_template=filled(asset("header.html")), js_on_load=None,
                apply_default_css=False, elem_id="page-header")
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab(text("tab.read"), id="read"):
                reading_room(desk, find_examples(example_folders(examples)))
            with gr.Tab(text("tab.many"), id="many"):
                many_films(desk)
            with gr.Tab(text("tab.card"), id="card"):
                model_card_tab()
        gr.HTML(html_template=filled(asset("caveat.html")), js_on_load=None,
                apply_default_css=False, elem_id="page-caveat")
        public_events(desk, uploads)
    demo.desk, demo.uploads = desk, uploads
    return demo


def launch_arguments() -> dict:
    """Keyword arguments of `demo.launch` for this page, on a Space and on an own computer."""
    on_space = bool(os.environ.get("SPACE_ID"))
    host = os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if on_space else "127.0.0.1")
    return {
        "server_name": host,
        "theme": theme(),
        "css_paths": [ASSETS / name for name in STYLES],
        "footer_links": [],
        "run_history": False,
        "pwa": False,
        "share": False,
        "ssr_mode": False,
        # Else Gradio's own errors are told too, which may name places on the disk.
        "show_error": False,
        "max_file_size": MAX_BYTES + 65_536,
        "app_kwargs": {"middleware": [Middleware(Gate, hosts=allowed_hosts(host))]},
        "favicon_path": ASSETS / "favicon.svg",
    }
