"""The page: header, tabs, standing caveat, and how it is launched."""

from __future__ import annotations

import os
from pathlib import Path

import gradio as gr

from pneumo.imaging.film import MAX_BYTES
from pneumo.ui.desk import Desk
from pneumo.ui.examples import example_folders, find_examples
from pneumo.ui.room import ASSETS, asset, reading_room
from pneumo.ui.texts import filled, text
from pneumo.ui.theme import theme


def build_demo(examples: Path | None = None, desk: Desk | None = None) -> gr.Blocks:
    """The whole app.

    Args:
        examples: a folder of own films for the gallery; PNEUMO_EXAMPLES or the bundled ones
            unless given.
        desk: reads the films; a fresh one unless given.
    """
    desk = desk or Desk()
    # Uploads through the API are deleted after use; what a cut connection leaves goes hourly.
    with gr.Blocks(
        title=text("app.name"), analytics_enabled=False, delete_cache=(3600, 3600),
        fill_width=True,
    ) as demo:
        gr.HTML(html_template=filled(asset("header.html")), js_on_load=None,
                apply_default_css=False, elem_id="page-header")
        with gr.Tabs(elem_id="tabs"), gr.Tab(text("tab.read"), id="read"):
            reading_room(desk, find_examples(example_folders(examples)))
        gr.HTML(html_template=filled(asset("caveat.html")), js_on_load=None,
                apply_default_css=False, elem_id="page-caveat")
    demo.desk = desk
    return demo


def launch_arguments() -> dict:
    """Keyword arguments of `demo.launch` for this page, on a Space and on an own computer."""
    on_space = bool(os.environ.get("SPACE_ID"))
    host = os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if on_space else "127.0.0.1")
    return {
        "server_name": host,
        "theme": theme(),
        "css_paths": [ASSETS / name for name in ("page.css", "room.css")],
        "footer_links": [],
        "run_history": False,
        "pwa": False,
        "share": False,
        "ssr_mode": False,
        "show_error": True,
        "max_file_size": MAX_BYTES + 65_536,
        "favicon_path": ASSETS / "favicon.svg",
    }
