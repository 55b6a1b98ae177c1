"""The first tab: one image, its results by one or several networks, its report."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cache

import gradio as gr

from pneumo.imaging.radiograph import MAX_BYTES, UnreadableImage
from pneumo.models.card import CheckpointError
from pneumo.ui.examples import Example, gallery
from pneumo.ui.pictures import SIGNS, hottest, image_picture, lung_outlines, map_picture
from pneumo.ui.report import report
from pneumo.ui.results import agreement, judged, numbers_of, reason_of, result_of, warnings_of
from pneumo.ui.schemas import Invalid, Request, parse
from pneumo.ui.store import Forgotten, ImageStore, StoredImage, Superseded
from pneumo.ui.texts import coded, language, text
from pneumo.ui.web import asset


def viewer(store: ImageStore, examples: Sequence[Example]) -> gr.HTML:
    """The component of the first tab; to be called inside a Blocks context."""
    thumbnails = cache(lambda spoken: gallery(examples))

    def analyze(data):
        return answer(store, examples, data)

    def show_examples(data):
        return thumbnails(language())

    def print_report(data):
        return report(store, data)

    return gr.HTML(
        html_template=asset("viewer.html"),
        js_on_load="Pneumo.startViewer(element, server);",
        server_functions=[analyze, show_examples, print_report],
        apply_default_css=False,
        elem_id="viewer",
    )


def answer(store: ImageStore, examples: Sequence[Example], data: object) -> dict:
    """Whatever the page asked, answered in plain JSON values.

    `status` is "ok" (with token, results, warnings, agreement and numbers, and image, maps, lungs
    and hottest places where pictures were asked for), "refused" or "error" (with reason; and a
    token and the image when it can be analyzed all the same), "invalid" (with reason and field),
    "superseded" or "forgotten".
    """
    return answered(
        data, lambda request: results_for(store, stored_image(store, examples, request), request)
    )


def answered(data: object, work: Callable[[Request], dict]) -> dict:
    """What `work` says to a page's request, with the `status` of whatever it raises."""
    try:
        return work(parse(data))
    except Invalid as error:
        status = "error" if error.field == "image" else "invalid"
        return {"status": status, "field": error.field, "reason": str(error)}
    except UnreadableImage as error:
        reason = coded("error", error.code, error.sentence, **error.values)
        return {"status": error.status, "reason": reason}
    except CheckpointError:
        return {"status": "error", "reason": text("model.broken")}
    except Superseded:
        return {"status": "superseded"}
    except Forgotten:
        return {"status": "forgotten"}
    except Exception:
        # The page must hear something; the cause goes to the operator's log, without the image.
        logging.getLogger(__name__).exception("an image could not be analyzed")
        return {"status": "error", "reason": text("failure.server")}


def results_for(store: ImageStore, image: StoredImage | None, request: Request) -> dict:
    """What `answer` gives for an image and the networks that a request asks."""
    cards = [store.reader(model).card for model in request.models]
    shown: dict = {"numbers": numbers_of(request.choice, cards[0])}
    if image is None:
        return {"status": "error", "reason": text("failure.nofile"), **shown}
    readings = [
        store.read(image, model, request.visit, request.turn, request.check)
        for model in request.models
    ]
    shown["token"] = image.token
    if request.pictures:
        shown["image"] = image_picture(image.radiograph)
    refused = next((reading for reading in readings if not reading.ok), None)
    if refused:
        return {"status": refused.status, "reason": reason_of(refused), **shown}
    if request.pictures:
        shape, lungs = image.radiograph.pixels.shape, readings[0].lungs
        shown["lungs"] = [] if lungs is None else lung_outlines(lungs, shape)
        shown["hottest"] = [hottest(one.evidence) for one in readings]
        shown["maps"] = [
            {sign: map_picture(one.evidence, shape, card.evidence.scale, sign) for sign in SIGNS}
            for one, card in zip(readings, cards, strict=True)
        ]
    pairs = zip(readings, cards, strict=True)
    results = [result_of(judged(reading, card, request.choice), card) for reading, card in pairs]
    code, sentence = agreement(results, cards) if len(results) > 1 else ("", "")
    return {
        "status": "ok",
        "results": [asdict(result) for result in results],
        "warnings": warnings_of([check for reading in readings for check in reading.checks]),
        "agreement": {"code": code, "sentence": sentence},
        **shown,
    }


def stored_image(
    store: ImageStore, examples: Sequence[Example], request: Request
) -> StoredImage | None:
    """The image that a request is about, decoded and kept; None where it has none."""
    if request.visit:
        store.announce(request.visit, request.turn)
    if request.token:
        return store.get(request.token)
    data = request.image
    if request.example is not None:
        try:
            with examples[request.example].path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except (OSError, IndexError):
            raise Invalid("image", text("examples.missing")) from None
    return None if data is None else store.put(data, request.visit, request.turn)
