"""The second tab: many images, one request each, so that one bad image never stops the rest."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import gradio as gr

from pneumo.imaging.radiograph import UnreadableImage
from pneumo.models.card import CheckpointError
from pneumo.reading.reader import Reading
from pneumo.ui.labelled import measured
from pneumo.ui.pictures import thumbnail
from pneumo.ui.results import judged, numbers_of, percent, reason_of, warnings_of
from pneumo.ui.schemas import Choice, Invalid, parse
from pneumo.ui.store import ImageStore, Superseded
from pneumo.ui.texts import text
from pneumo.ui.web import MOST_IMAGES, asset

TRUTHS = ("NORMAL", "PNEUMONIA")


def batch(store: ImageStore) -> gr.HTML:
    """The component of the second tab; to be called inside a Blocks context."""

    def analyze_one(data):
        return brief(store, data)

    def decide_again(data):
        return decided(store, data)

    return gr.HTML(
        html_template=asset("batch.html"),
        js_on_load="Pneumo.startBatch(element, server);",
        server_functions=[analyze_one, decide_again],
        apply_default_css=False,
        elem_id="batch",
    )


def brief(store: ImageStore, data: object) -> dict:
    """One image of many, analyzed by one or several networks and not kept.

    Gives rows, one a network, and png (a small picture, base64, or ""); or reason, a sentence.
    """
    try:
        request = parse(data)
        readers = [store.reader(model) for model in request.models]
        try:
            image = store.decode(request.image or b"")
        except UnreadableImage as error:
            return {"rows": [_row(reader.unreadable(error)) for reader in readers], "png": ""}
        rows = []
        for reader in readers:
            reading = store.read(image, reader.name, check=request.check)
            rows.append(_row(judged(reading, reader.card, request.choice)))
        return {"rows": rows, "png": thumbnail(image.radiograph)}
    except Invalid as error:
        return {"reason": str(error)}
    except CheckpointError:
        return {"reason": text("model.broken")}
    except Superseded:
        return {"reason": text("failure.offline")}
    except Exception:
        logging.getLogger(__name__).exception("an image of many could not be analyzed")
        return {"reason": text("failure.server")}


def decided(store: ImageStore, data: Any) -> dict:
    """The rows of images that were analyzed before, at another policy or prevalence.

    The request's "cases" are a network, the balanced probability that it gave, and 1 or 0 where
    the image is known to show pneumonia or not. Gives rows in their order, numbers for the page's
    fields, and what the networks chosen are measured on images with a truth; or reason and field.
    """
    try:
        request = parse(data)
        cases = [(str(model), float(value), truth) for model, value, truth in data.get("cases", [])]
        rows = [_again(store, request.choice, *case[:2]) for case in cases[: 8 * MOST_IMAGES]]
        cards = [store.reader(model).card for model in request.models]
        known = [
            (row["model"], row["label"], TRUTHS[truth], balanced)
            for row, (_, balanced, truth) in zip(rows, cases, strict=False)
            if truth in (0, 1)
        ]
        found = []
        for card in cards:
            columns = list(zip(*(case[1:] for case in known if case[0] == card.name), strict=True))
            if columns:
                found.append({"title": card.title, **measured(*columns)})
        numbers = numbers_of(request.choice, cards[0])
        return {"rows": rows, "numbers": numbers, "measured": found}
    except Invalid as error:
        return {"reason": str(error), "field": error.field}
    except CheckpointError:
        return {"reason": text("model.broken")}
    except (ValueError, TypeError, AttributeError):
        return {"reason": text("failure.server")}


def _again(store: ImageStore, choice: Choice, model: str, balanced: float) -> dict:
    reader = store.reader(model)
    reading = Reading("", model, reader.checkpoint.weights_sha256, "ok", balanced=balanced)
    reading = replace(reading, decisive=reader.card.threshold)
    row = _row(judged(reading, reader.card, choice))
    # What does not depend on the choice stays as it was.
    kept = ("source", "checks", "zones", "strongest_zone", "seconds", "warnings", "reason")
    return {key: value for key, value in row.items() if key not in kept}


def _row(reading: Reading) -> dict:
    """A reading's record with its words: says, percent, warnings, reason; and `balanced`."""
    return {
        **reading.record(),
        "balanced": reading.balanced,
        "says": text(f"result.{reading.label}") if reading.label else "–",
        "percent": percent(reading.probability),
        "warnings": " ".join(warnings_of(reading.checks)),
        "reason": reason_of(reading),
    }
