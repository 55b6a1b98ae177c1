"""From the page's request for a report to its bytes: the stored image, judged as on the screen."""

from __future__ import annotations

import base64
import io
from datetime import datetime
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from pneumo.imaging import overlay
from pneumo.models.card import CheckpointError
from pneumo.ui.pictures import fitted, legend_of
from pneumo.ui.results import agreement, judged, result_of, warnings_of
from pneumo.ui.schemas import Invalid, Request, parse
from pneumo.ui.store import Forgotten, ImageStore, StoredImage
from pneumo.ui.texts import text

if TYPE_CHECKING:
    from pneumo.reporting.report import Page

PICTURE_SIDE = 1200


def report(store: ImageStore, data: object) -> dict:
    """The report of an image that was analyzed before: pdf and png, or dicom (base64), or error."""
    from pneumo.reporting.report import compose  # matplotlib takes a second to load

    try:
        request = parse(data)
        image = store.get(request.token)
        if request.kind == "dicom":
            pages = {"dicom": _dicom(store, image, request)}
        else:
            pages = compose(page_of(store, image, request))
    except Forgotten:
        return {"error": text("report.forgotten")}
    except CheckpointError:
        return {"error": text("model.broken")}
    except Invalid as error:
        return {"error": str(error)}
    return {kind: base64.b64encode(page).decode("ascii") for kind, page in pages.items()}


def _dicom(store: ImageStore, image: StoredImage, request: Request) -> bytes:
    """A zip file of each network's DICOM objects; they hold placeholders for the patient."""
    from pneumo.reporting.dicom_out import objects  # highdicom is an extra

    stream = io.BytesIO()
    with ZipFile(stream, "w", ZIP_DEFLATED) as archive:
        for model in request.models:
            card = store.reader(model).card
            reading = store.read(image, model, check=request.check)
            if not reading.ok:
                raise Forgotten
            found = objects(image.radiograph, judged(reading, card, request.choice), card)
            for ending, content in found.items():
                archive.writestr(f"pneumo-{model}{ending}", content)
    return stream.getvalue()


def page_of(store: ImageStore, image: StoredImage, request: Request) -> Page:
    """What the report of an image says; `Forgotten` when the image was refused."""
    from pneumo.reporting.report import MOST_COMMENT, Column, Legend, Page, Panel

    cards = [store.reader(model).card for model in request.models]
    readings = [store.read(image, model, check=request.check) for model in request.models]
    if not all(reading.ok for reading in readings):
        raise Forgotten
    pairs = list(zip(readings, cards, strict=True))
    results = [result_of(judged(reading, card, request.choice), card) for reading, card in pairs]
    pixels = fitted(image.radiograph.pixels, PICTURE_SIDE)
    panels = [Panel(text("view.image"), np.repeat(pixels[..., None], 3, axis=2))]
    for reading, card in pairs:
        if card.name not in request.drawn or reading.evidence is None:
            continue
        scale = card.evidence.scale
        layer = overlay.colour_layer(reading.evidence, pixels.shape, scale, request.sign)
        legend = legend_of(scale, request.sign)
        panels.append(
            Panel(
                text("view.map", model=card.title),
                overlay.blend(pixels, layer, request.opacity),
                Legend(overlay.colour_table(request.sign), tuple(legend["ticks"]), legend["title"]),
            )
        )
    columns = [
        Column(
            label=result.says,
            qualifier=result.outside,
            probability=result.probability,
            words=f"{text('result.probability')} {result.percent}",
            lines=tuple(filter(None, (result.at, result.where, result.basis))),
            thresholds=(result.rule_out, result.rule_in),
            rows=result.rows,
        )
        for result in results
    ]
    checks = [check for reading in readings for check in reading.checks]
    noted = warnings_of(checks) or [text("report.warnings.none")]
    if len(results) > 1:
        noted.insert(0, agreement(results, cards)[1])
    sections: list[tuple[str, list[str]]] = [(text("result.warnings"), noted)]
    comment = request.comment.strip()[:MOST_COMMENT]
    if comment:
        sections.append((text("report.comment"), comment.splitlines()))
    return Page(
        title=text("report.title"),
        time=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        disclaimer=text("app.disclaimer"),
        panels=panels,
        columns=columns,
        sections=sections,
        footer=[
            text("report.source", source=image.radiograph.source),
            *(
                text("report.weights", model=card.title, sha256=card.weights.sha256)
                for card in cards
            ),
        ],
    )
