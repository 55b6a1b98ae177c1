"""The page: header, tabs, disclaimer, and how it is launched."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from pneumo.ui.api import public_events
from pneumo.ui.batch import batch
from pneumo.ui.examples import example_folders, find_examples
from pneumo.ui.model_card import model_card
from pneumo.ui.security.connections import guard_connections
from pneumo.ui.security.hosts import allowed_hosts
from pneumo.ui.security.limits import IMAGE_BYTES
from pneumo.ui.security.middleware import Gate
from pneumo.ui.security.queue import bound_queue
from pneumo.ui.security.uploads import Uploads
from pneumo.ui.store import ImageStore
from pneumo.ui.teach import teach
from pneumo.ui.texts import text
from pneumo.ui.viewer import viewer
from pneumo.ui.web import ASSETS, STYLES, asset, head


class App(gr.Blocks):
    """The Blocks of the app, with what its middleware needs."""

    store: ImageStore
    uploads: Uploads


def build_demo(examples: Path | None = None) -> App:
    """The whole app, with a folder's images for the gallery, or `example_folders`'."""
    store, uploads = ImageStore(), Uploads()
    # The gate keeps images off the disk; what Gradio itself should store goes within minutes.
    with App(
        title=text("app.name"), analytics_enabled=False, delete_cache=(60, 120), fill_width=True
    ) as demo:
        _markup("header.html", "Pneumo.startLanguage(element);")
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("[[tab.analyze]]", id="analyze"):
                viewer(store, find_examples(example_folders(examples)))
            with gr.Tab("[[tab.batch]]", id="batch"):
                batch(store)
            with gr.Tab("[[tab.teach]]", id="teach"):
                teach(store, examples)
            with gr.Tab("[[tab.card]]", id="card"):
                model_card()
        _markup("disclaimer.html")
        public_events(store, uploads)
    bound_queue(demo)
    demo.store, demo.uploads = store, uploads
    return demo


def launch(demo: gr.Blocks, **arguments: Any) -> None:
    """Launch the app, its connections guarded; arguments as for Gradio's `launch`."""
    guard_connections()
    demo.launch(**launch_arguments() | arguments)


def serve(demo: App, **arguments: Any) -> None:
    """Launch the app, load its networks, and answer until Ctrl-C or SIGTERM; what runs then is
    finished."""
    stopped = threading.Event()
    launch(demo, prevent_thread_lock=True, **arguments)
    # Not before: Gradio gives up when its own page takes more than three seconds to answer.
    threading.Thread(target=demo.store.warm_up, daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    while not stopped.wait(1):  # Windows wakes it for no signal
        pass
    signal.signal(signal.SIGINT, signal.default_int_handler)
    demo.close(verbose=False)  # takes nothing more, and waits some seconds for open answers
    demo.store.finish()


def launch_arguments() -> dict[str, Any]:
    """Keyword arguments of `demo.launch` for this page, on a Space and on a local computer."""
    on_space = bool(os.environ.get("SPACE_ID"))
    host = os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if on_space else "127.0.0.1")
    return {
        "server_name": host,
        "theme": theme(),
        "css_paths": [ASSETS / name for name in STYLES],
        "head": head(),
        "footer_links": [],
        "run_history": False,
        "pwa": False,
        "share": False,
        "ssr_mode": False,
        # Else Gradio's own errors are shown too, which may name places on the disk.
        "show_error": False,
        "max_file_size": IMAGE_BYTES,
        "app_kwargs": {"middleware": [Middleware(Gate, hosts=allowed_hosts(host))]},
        "favicon_path": ASSETS / "favicon.svg",
    }


def theme() -> gr.themes.Base:
    """Slate greys, one blue accent, IBM Plex Sans from this computer (no outside font host)."""
    # The bundled semi-bold files lack most letters; the bold ones are whole.
    plex, mono_plex = (
        gr.themes.LocalFont(name, weights=(400, 700)) for name in ("IBM Plex Sans", "IBM Plex Mono")
    )
    sans: list[Any] = [plex, "system-ui", "sans-serif"]
    mono: list[Any] = [mono_plex, "ui-monospace", "monospace"]
    return gr.themes.Base(
        primary_hue=gr.themes.colors.sky,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_sm,
        font=sans,
        font_mono=mono,
    ).set(
        body_background_fill="#f3f5f7",
        body_background_fill_dark="#10151a",
        block_border_width="0px",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_shadow="none",
        block_padding="0px",
    )


def _markup(name: str, script: str | None = None) -> None:
    gr.HTML(html_template=asset(name), js_on_load=script, apply_default_css=False)
