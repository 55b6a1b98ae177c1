"""The public events: what a program can ask over gradio_client or plain HTTP."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pneumo.imaging.radiograph import UnreadableImage
from pneumo.models.card import CheckpointError
from pneumo.models.checkpoint import available_models, default_model
from pneumo.reading.decision import DEFAULT_POLICY, PRESETS, Policy
from pneumo.ui.model_card import usable_cards
from pneumo.ui.schemas import in_range
from pneumo.ui.security.uploads import Uploads
from pneumo.ui.store import ImageStore, Superseded
from pneumo.ui.texts import text

EXAMPLE = {"path": "radiograph.png", "meta": {"_type": "gradio.FileData"}}


def image_field() -> gr.File:
    """A file field for programs whose value is the token of an upload and never a path.

    Without a data model Gradio neither opens, copies nor downloads what the field names. (For a
    subclass, which would say the same, Gradio writes a file beside the module.)
    """
    field = gr.File(label=text("api.image"))
    described = field.api_info()
    field.data_model = None
    field.api_info = lambda: described  # type: ignore[method-assign]
    example = {"payload": EXAMPLE, "value": EXAMPLE}
    field.example_inputs = lambda: example  # type: ignore[method-assign]
    return field


def public_events(store: ImageStore, uploads: Uploads) -> None:
    """Declare /predict and /models; to be called inside a Blocks context."""
    with gr.Column(visible=False):
        inputs = [
            image_field(),
            gr.Textbox(label=text("api.model"), info=text("api.model.info"), value=default_model()),
            gr.Number(label=text("api.threshold"), info=text("api.threshold.info")),
            gr.Checkbox(label=text("api.check"), info=text("api.check.info"), value=True),
            gr.Checkbox(label=text("api.evidence"), info=text("api.evidence.info")),
            gr.Textbox(
                label=text("api.policy"), info=text("api.policy.info"), value=DEFAULT_POLICY
            ),
            gr.Number(label=text("api.prevalence"), info=text("api.prevalence.info")),
        ]
        reading = gr.JSON(label=text("api.result"))
        models = gr.JSON(label=text("api.models"))
        ask, tell = gr.Button(), gr.Button()

    # Gradio's own conversion of the values is off (preprocess=False), so they may be of any type.
    def predict(
        image: Any,
        model: Any,
        threshold: Any = None,
        input_check: Any = True,
        evidence: Any = False,
        policy: Any = DEFAULT_POLICY,
        prevalence: Any = None,
    ) -> dict:
        """Analyze one image with one network; the upload is forgotten once it is asked for."""
        data = uploads.take(image) if isinstance(image, str) else None
        if data is None:
            raise _wrong("failure.nofile")
        if not isinstance(model, str) or model not in available_models():
            # Without letters that JSON can hold and UTF-8 cannot.
            name = ascii(model[:64])[1:-1] if isinstance(model, str) else ""
            raise _wrong("api.unknown", name=name, names=", ".join(available_models()))
        if prevalence is not None and not (_is_number(prevalence) and in_range(prevalence)):
            raise _wrong("api.prevalence.wrong")
        try:
            card = store.reader(model).card
            share = card.prevalence if prevalence is None else float(prevalence)
            chosen = _policy(card.policies, threshold, policy, share)
            try:
                result = store.read(store.decode(data), model, check=input_check is not False)
            except UnreadableImage as error:
                result = store.reader(model).unreadable(error)
        except CheckpointError:
            raise gr.Error(text("model.broken"), print_exception=False) from None
        except Superseded:
            raise _wrong("failure.server") from None
        record = result.with_policy(chosen).with_prevalence(share).record()
        if evidence is True:
            rows = None if result.evidence is None else result.evidence.tolist()
            # The second is the name it had before 0.2.0.
            record |= {"evidence": rows, "heat": rows}
        return record

    ask.click(
        predict,
        inputs,
        reading,
        api_name="predict",
        api_description="Analyze one chest radiograph. Gives the Reading: status (ok, refused or "
        "error), reason, probability of pneumonia at the prevalence, label (NORMAL, INDETERMINATE "
        "or PNEUMONIA), rule_out and rule_in, zones, checks.",
        preprocess=False,
    )
    tell.click(
        _models,
        None,
        models,
        api_name="models",
        api_description="The networks that can be asked, with the thresholds of their policies.",
    )


def _wrong(key: str, **values: object) -> gr.Error:
    """What ends a wrong call: 422 with a sentence."""
    return gr.Error(text(key, **values), print_exception=False)


def _policy(presets: dict, threshold: Any, policy: Any, prevalence: float) -> Policy:
    """The policy that a program asked for; thresholds are given at the prevalence."""
    if threshold is not None:
        if not _is_number(threshold) or not 0 <= threshold <= 1:
            raise _wrong("api.threshold.wrong")
        return Policy.custom(float(threshold), float(threshold), prevalence)
    if policy is None:
        policy = DEFAULT_POLICY
    if isinstance(policy, str) and policy in PRESETS:
        return presets[policy].policy
    if isinstance(policy, list) and len(policy) == 2 and all(map(_is_number, policy)):
        low, high = policy
        if 0 <= low <= high <= 1:
            return Policy.custom(float(low), float(high), prevalence)
    raise _wrong("api.policy.wrong")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _models() -> list[dict]:
    """The networks that can be asked: name, title, thresholds, prevalence, evidence scale."""
    return [
        {
            "name": card.name,
            "title": card.title,
            "sha256": card.weights.sha256,
            "prevalence": card.prevalence,
            "policies": {
                policy: {"rule_out": result.policy.rule_out, "rule_in": result.policy.rule_in}
                for policy, result in card.policies.items()
            },
            "scale": card.evidence.scale,
            "reliable_side": card.evidence.reliable_side,
        }
        for card in usable_cards()
    ]
