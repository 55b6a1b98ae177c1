"""The public events: what a program can ask over gradio_client or plain HTTP."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pneumo.models.checkpoint import CheckpointError, available_models
from pneumo.ui.cards import page_cards
from pneumo.ui.desk import Desk
from pneumo.ui.security.uploads import Uploads
from pneumo.ui.texts import text


def film_field() -> gr.File:
    """A file field for programs whose value is the token of an upload and never a path.

    Programs are told to upload a file first, as for every file field. But without a data model
    Gradio neither opens, copies nor downloads what the field names. (A subclass would say the
    same, but for each one Gradio writes a file beside the module.)
    """
    field = gr.File(label=text("api.film"))
    described = field.api_info()
    field.data_model = None
    field.api_info = lambda: described
    return field


def public_events(desk: Desk, uploads: Uploads) -> None:
    """Declare /predict and /models; to be called inside a Blocks context."""
    names = available_models()
    with gr.Column(visible=False):
        film = film_field()
        model = gr.Textbox(label=text("api.model"), info=text("api.model.info"),
                           value=names[-1] if names else "")
        threshold = gr.Number(label=text("api.threshold"), info=text("api.threshold.info"))
        guard = gr.Checkbox(label=text("api.guard"), info=text("api.guard.info"), value=True)
        heat = gr.Checkbox(label=text("api.heat"), info=text("api.heat.info"))
        reading = gr.JSON(label=text("api.reading"))
        models = gr.JSON(label=text("api.models"))
        ask, tell = gr.Button(), gr.Button()

    # Gradio's own conversion of the values is off (preprocess=False), so they may be of any type.
    def predict(film: Any, model: Any, threshold: Any, guard: Any, heat: Any) -> dict:
        """Read one film with one network; the upload is forgotten as soon as it is asked for."""
        data = uploads.take(film) if isinstance(film, str) else None
        if data is None:
            raise gr.Error(text("error.nofile"), print_exception=False)
        if not isinstance(model, str) or model not in available_models():
            names = ", ".join(available_models())
            name = model[:64] if isinstance(model, str) else ""
            raise gr.Error(text("api.unknown", name=name, names=names), print_exception=False)
        if threshold is not None and type(threshold) not in (int, float):
            raise gr.Error(text("api.threshold.wrong"), print_exception=False)
        try:
            _, result = desk.read_once(data, model, guard is not False)
            if threshold is not None:
                result = result.with_threshold(threshold)
        except CheckpointError as error:
            raise gr.Error(str(error), print_exception=False) from None
        except ValueError:
            raise gr.Error(text("api.threshold.wrong"), print_exception=False) from None
        record = result.record()
        if heat is True:
            record["heat"] = None if result.heat is None else result.heat.tolist()
        return record

    def list_models() -> list[dict]:
        """The networks that can be asked: name, title, thresholds, band, scale of the heat."""
        keys = ("name", "title", "sha256", "points", "uncertain", "scale")
        return [{key: card[key] for key in keys} for card in page_cards() if "broken" not in card]

    ask.click(
        predict, [film, model, threshold, guard, heat], reading, api_name="predict",
        api_description="Read one chest radiograph. Gives the Reading: status (ok, refused or "
        "error), reason, probability of pneumonia, label (NORMAL, PNEUMONIA or UNCERTAIN), "
        "confidence, threshold, uncertain band, checks.",
        concurrency_limit=2, preprocess=False,
    )
    tell.click(
        list_models, None, models, api_name="models",
        api_description="The networks that can be asked, with their operating points.",
    )
