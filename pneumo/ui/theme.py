"""The look of what Gradio itself draws; the rest is in assets/*.css on the same variables."""

from __future__ import annotations

import gradio as gr


def theme() -> gr.themes.Base:
    """Slate greys, one blue accent, IBM Plex Sans from this computer (no outside font host)."""
    sans = [gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"]
    mono = [gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700)), "ui-monospace", "monospace"]
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
