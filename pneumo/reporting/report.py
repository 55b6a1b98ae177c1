"""The report: one page, as PDF and PNG, with the pictures and the numbers of the screen."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from pneumo.imaging import overlay
from pneumo.reading.decision import predictive_values
from pneumo.reading.reader import Reading
from pneumo.ui.cards import percent_words, rate_words
from pneumo.ui.pictures import fitted
from pneumo.ui.texts import text

PAGE = (8.27, 11.69)  # inches, A4
PICTURE_SIDE = 1200
MOST_COMMENT = 1500
_LEFT, _WIDTH, _TOP = 0.08, 0.84, 0.895  # shares of the page


@dataclass(frozen=True)
class Part:
    """One network's share of a report.

    Attributes:
        reading: judged at the operating point chosen.
        title: of the network.
        scale: evidence at which its colours end.
        point: the operating point as `cards.operating_points` gives it.
        prevalence: of pneumonia on the reader's ward, 0 to 1; for the predictive values.
        tells_side: whether its heat tells which lung is affected.
    """

    reading: Reading
    title: str
    scale: float
    point: dict
    prevalence: float = 0.5
    tells_side: bool = True


def compose(
    pixels: np.ndarray, parts: Sequence[Part], time: str, comment: str = "",
    sign: str = overlay.FOR, opacity: float = 0.6,
) -> dict[str, bytes]:
    """The page in both kinds; the same arguments give the same bytes.

    Args:
        pixels: uint8, (H, W), the film.
        parts: one or more networks' readings of it, all with status "ok".
        time: when it was read, as it is printed.
        comment: the person's own words; at most `MOST_COMMENT` letters are printed.
        sign: evidence "for" or "against".
        opacity: of the heat, 0 to 1.

    Returns:
        "pdf" and "png" bytes.
    """
    with matplotlib.rc_context({"font.family": "DejaVu Sans", "font.size": 9,
                                "text.parse_math": False, "pdf.fonttype": 42,
                                "svg.hashsalt": "pneumo"}):
        figure = Figure(figsize=PAGE)
        _head(figure, time)
        film = fitted(pixels, PICTURE_SIDE)
        free = _pictures(figure, film, parts, sign, opacity)
        for number, part in enumerate(parts):
            _answer(figure, part, _LEFT + number * _WIDTH / len(parts), free)
        _foot(figure, parts, comment, free - 0.185)
        pages = {}
        for kind, empty in (("pdf", "CreationDate"), ("png", "Software")):
            stream = io.BytesIO()
            figure.savefig(stream, format=kind, dpi=150, metadata={empty: None})
            pages[kind] = stream.getvalue()
    return pages


def _head(figure: Figure, time: str) -> None:
    figure.text(_LEFT, 0.955, text("report.title"), size=17, weight="bold")
    figure.text(_LEFT + _WIDTH, 0.957, time, ha="right", color="#4a5a68")
    figure.text(_LEFT, 0.935, text("app.caveat"), weight="bold", color="#a3341b")


def _pictures(
    figure: Figure, film: np.ndarray, parts: Sequence[Part], sign: str, opacity: float
) -> float:
    """Draw film and heat; gives the height under which the page is free."""
    pictures = [(text("view.film"), np.repeat(film[..., None], 3, axis=2))]
    for part in parts:
        layer = overlay.colour_layer(part.reading.heat, film.shape, part.scale, sign)
        title = text(
            "view.heat" if part.tells_side else "view.heat.no_side.short", model=part.title)
        pictures.append((title, overlay.blend(film, layer, opacity)))
    gap = 0.02
    width = (_WIDTH - gap * (len(pictures) - 1)) / len(pictures)
    # The picture's own shape decides the height of its place, up to a third of the page.
    height = min(0.34, width * PAGE[0] / PAGE[1] * film.shape[0] / film.shape[1])
    bottom = _TOP - height
    for number, (title, picture) in enumerate(pictures):
        left = _LEFT + number * (width + gap)
        axes = figure.add_axes((left, bottom, width, height), anchor="N")
        axes.imshow(picture, interpolation="lanczos", aspect="equal")
        axes.set_title(title, size=9, loc="left")
        axes.set_xticks([])
        axes.set_yticks([])
        if number:
            _legend(figure, parts[number - 1], sign, (left, bottom - 0.018, width, 0.008))
    return bottom - 0.075


def _legend(
    figure: Figure, part: Part, sign: str, place: tuple[float, float, float, float]
) -> None:
    axes = figure.add_axes(place)
    axes.imshow(overlay.colour_table(sign)[None], aspect="auto", extent=(0, 1, 0, 1))
    ends = [0.0, part.scale / 2, part.scale]
    signed = ends if sign == overlay.FOR else [-end for end in ends]
    axes.set_xticks([0, 0.5, 1], [f"{value:.3g}" for value in signed], size=7)
    for label, side in zip(axes.get_xticklabels(), ("left", "center", "right"), strict=True):
        label.set_horizontalalignment(side)
    axes.set_yticks([])
    axes.set_xlabel(text(f"legend.{sign}"), size=7, labelpad=1)


def _answer(figure: Figure, part: Part, left: float, top: float) -> None:
    reading, point = part.reading, part.point
    figure.text(left, top, text(f"answer.{reading.label}"), size=13, weight="bold")
    split = text(f"split.{point['split']}") if point["split"] else ""
    uncertain = reading.label == "UNCERTAIN"
    confidence = text("answer.confidence.likelier" if uncertain else "answer.confidence")
    rows = [
        (text("answer.model"), part.title),
        (text("answer.probability"), percent_words(reading.probability)),
        (confidence, percent_words(reading.confidence)),
        (text("answer.threshold"), f"{reading.threshold:.3f}, "
         + text(f"point.{reading.operating_point}.short")),
        (text("answer.sensitivity", split=split), rate_words(point["sensitivity"])),
        (text("answer.specificity", split=split), rate_words(point["specificity"])),
    ]
    if point["sensitivity"] and point["specificity"]:
        rates = (point[name]["value"] for name in ("sensitivity", "specificity"))
        values = (percent_words(v, 0) for v in predictive_values(*rates, part.prevalence))
        rows.append((text("report.predictive", share=round(100 * part.prevalence)),
                     " · ".join(values)))
    if reading.uncertain:
        band = reading.uncertain.around(reading.threshold)
        ends = text("answer.band.at", low=f"{band.low:.3f}", high=f"{band.high:.3f}")
        rows.insert(4, (text("answer.band"), ends))
    for number, (name, value) in enumerate(rows):
        height = top - 0.024 - 0.018 * number
        figure.text(left, height, name, color="#4a5a68", size=8)
        figure.text(left + 0.205, height, value, size=8, weight="bold")


def _foot(figure: Figure, parts: Sequence[Part], comment: str, top: float) -> None:
    lines = [(text("report.checks"), True)]
    checks = {check.detail: check for part in parts for check in part.reading.checks}
    noted = [check for check in checks.values() if check.outcome != "passed"]
    for check in noted:
        lines += [(line, False) for line in textwrap.wrap(check.detail, 112)]
    if not noted:
        lines.append((text("report.checks.none"), False))
    lines += [(text("view.heat.no_side", model=part.title) + ".", False)
              for part in parts if not part.tells_side]
    if comment.strip():
        lines += [("", False), (text("report.comment"), True)]
        for paragraph in comment.strip()[:MOST_COMMENT].splitlines():
            lines += [(line, False) for line in textwrap.wrap(paragraph, 104) or [""]]
    # A long comment is printed smaller; one of very many lines ends where the page does.
    pitch = max(0.008, min(0.0145, (top - 0.068) / len(lines)))
    most = int((top - 0.068) / pitch + 1e-6)
    if len(lines) > most:
        lines[most - 1:] = [("…", False)]
    for number, (line, bold) in enumerate(lines):
        figure.text(_LEFT, top - pitch * number, line, size=8.5 * pitch / 0.0145,
                    weight="bold" if bold else "normal")
    for number, part in enumerate(parts):
        weights = text("report.weights", model=part.title, sha256=part.reading.weights_sha256)
        figure.text(_LEFT, 0.042 - 0.012 * number, weights, size=6.5, color="#4a5a68")
    source = text("report.source", source=parts[0].reading.source)
    figure.text(_LEFT, 0.054, source, size=6.5, color="#4a5a68")
