"""From the page's wish for a report to its bytes: the film on the desk, judged as on the screen."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime

from pneumo.imaging import overlay
from pneumo.models.checkpoint import CheckpointError, heat_tells_side
from pneumo.reporting.report import Part, compose
from pneumo.ui.cards import curve_point, heat_scale, operating_points
from pneumo.ui.desk import Desk, Film, Forgotten
from pneumo.ui.exchange import parse
from pneumo.ui.texts import text


def report(desk: Desk, data: object) -> dict:
    """The report of a film that was read before.

    Returns:
        pdf and png as base64, or error with a sentence.
    """
    try:
        request = parse(data)
        fields = data if isinstance(data, dict) else {}
        threshold = float(fields.get("threshold", 0.5))
        opacity = min(1.0, max(0.0, float(fields.get("opacity", 0.6))))
        prevalence = min(0.99, max(0.01, float(fields.get("prevalence", 0.5))))
    except (ValueError, TypeError):
        return {"error": text("error.server")}
    sign = overlay.AGAINST if fields.get("sign") == overlay.AGAINST else overlay.FOR
    try:
        film = desk.fetch(request.token)
        parts = [
            replace(part_of(desk, film, model, str(fields.get("point", "balanced")), threshold,
                            request.guard), prevalence=prevalence)
            for model in request.models
        ]
    except Forgotten:
        return {"error": text("report.forgotten")}
    except (CheckpointError, ValueError) as error:
        return {"error": str(error)}
    if not all(part.reading.ok for part in parts):
        return {"error": text("report.forgotten")}
    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    comment = str(fields.get("comment", ""))
    pages = compose(film.radiograph.pixels, parts, now, comment, sign, opacity)
    return {kind: base64.b64encode(page).decode("ascii") for kind, page in pages.items()}


def part_of(
    desk: Desk, film: Film, model: str, point: str, threshold: float, guard: bool
) -> Part:
    """A model's reading of a film at an operating point of its card, or at an own threshold.

    Raises:
        CheckpointError: when the checkpoint must not be used.
        ValueError: when the threshold is not from 0 to 1.
    """
    reading = desk.read(film, model, guard=guard)
    card = desk.reader(model).checkpoint.card
    known = {entry["name"]: entry for entry in operating_points(card)}
    chosen = known.get(point) or curve_point(card, threshold)
    if reading.ok and chosen["name"] != reading.operating_point:
        reading = reading.with_threshold(chosen["threshold"], chosen["name"])
    title = str(card["architecture"].get("title") or model)
    return Part(reading, title, heat_scale(card), chosen, tells_side=heat_tells_side(card))
