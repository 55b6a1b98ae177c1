"""The report: one A4 page of images, results and comments, as PDF and PNG.

It lays out what it is given; every word and number on it is the caller's.
"""

import io
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import matplotlib
import numpy as np
from matplotlib import font_manager, ft2font
from matplotlib.figure import Figure

PAGE = (8.27, 11.69)  # inches, A4
FONT = "DejaVu Sans"
SETTINGS: dict[Any, Any] = {
    "font.family": FONT, "font.size": 9, "text.parse_math": False, "pdf.fonttype": 42
}  # fmt: skip
MOST_COMMENT = 1500
_LEFT, _WIDTH, _TOP = 0.08, 0.84, 0.895  # shares of the page
_SOFT, _ALARM = "#4a5a68", "#a3341b"


@dataclass(frozen=True)
class Legend:
    """The strip of colours under a heatmap: uint8 RGB (256, 3), three ticks, and a title."""

    colours: np.ndarray
    ticks: tuple[str, str, str]
    title: str


@dataclass(frozen=True)
class Panel:
    """An image with its caption: uint8 RGB, (H, W, 3)."""

    caption: str
    pixels: np.ndarray
    legend: Legend | None = None


@dataclass(frozen=True)
class Column:
    """One network's result."""

    label: str  # in large letters
    qualifier: str  # under it, in the colour of warnings; "" for none
    probability: float  # 0 to 1, drawn as a bar; `words` stand above it, `lines` below it
    words: str
    lines: tuple[str, ...]
    thresholds: tuple[float, float]  # 0 to 1, drawn across the bar
    rows: tuple[tuple[str, str], ...]  # name and value


@dataclass(frozen=True)
class Page:
    """Everything on the page, from top to bottom."""

    title: str
    time: str
    disclaimer: str
    panels: Sequence[Panel]  # side by side; all of one shape
    columns: Sequence[Column]  # side by side
    sections: Sequence[tuple[str, Sequence[str]]]  # heading, paragraphs; what does not fit is cut
    footer: Sequence[str]


def compose(page: Page) -> dict[str, bytes]:
    """The bytes of the page as "pdf" and "png"; the same page gives the same bytes.

    Letters that the font lacks, and lone surrogates, are printed as empty boxes.
    """
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=PAGE)
        _write(figure, _LEFT, 0.955, page.title, size=17, weight="bold")
        _write(figure, _LEFT + _WIDTH, 0.957, page.time, ha="right", color=_SOFT)
        _write(figure, _LEFT, 0.935, page.disclaimer, weight="bold", color=_ALARM)
        free = _panels(figure, page.panels)
        lowest = min(
            _column(figure, column, _LEFT + number * _WIDTH / len(page.columns), free)
            for number, column in enumerate(page.columns)
        )
        _sections(figure, page.sections, lowest - 0.02, 0.04 + 0.012 * len(page.footer))
        for number, line in enumerate(reversed(page.footer)):
            _write(figure, _LEFT, 0.03 + 0.012 * number, line, size=6.5, color=_SOFT)
        pages = {}
        for kind, empty in (("pdf", "CreationDate"), ("png", "Software")):
            stream = io.BytesIO()
            figure.savefig(stream, format=kind, dpi=150, metadata={empty: None})
            pages[kind] = stream.getvalue()
    return pages


def printable(words: str) -> str:
    """The words with a box for every letter that cannot be printed, so that no library complains
    of a letter in a log."""
    known = _letters()
    composed = unicodedata.normalize("NFC", words)
    return "".join(c if ord(c) in known or c == "\n" else "\u25a1" for c in composed)


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    font = ft2font.FT2Font(font_manager.findfont(FONT))
    return frozenset(code for code in font.get_charmap() if code >= 32)


def _write(figure: Figure, x: float, y: float, words: str, **looks: Any) -> None:
    figure.text(x, y, printable(words), **looks)


def _panels(figure: Figure, panels: Sequence[Panel]) -> float:
    """Draw the images; gives the height under which the page is free."""
    gap = 0.02
    width = (_WIDTH - gap * (len(panels) - 1)) / len(panels)
    # The image's own shape decides the height of its place, up to a third of the page.
    rows, columns = panels[0].pixels.shape[:2]
    height = min(0.34, width * PAGE[0] / PAGE[1] * rows / columns)
    bottom = _TOP - height
    for number, panel in enumerate(panels):
        left = _LEFT + number * (width + gap)
        axes = figure.add_axes((left, bottom, width, height), anchor="N")
        axes.imshow(panel.pixels, interpolation="lanczos", aspect="equal")
        axes.set_title(printable(panel.caption), size=9, loc="left")
        axes.set(xticks=[], yticks=[])
        if panel.legend:
            _legend(figure, panel.legend, (left, bottom - 0.018, width, 0.008))
    return bottom - (0.075 if any(panel.legend for panel in panels) else 0.035)


def _legend(figure: Figure, legend: Legend, place: tuple[float, float, float, float]) -> None:
    axes = figure.add_axes(place)
    axes.imshow(legend.colours[None], aspect="auto", extent=(0, 1, 0, 1))
    axes.set_xticks([0, 0.5, 1], [printable(tick) for tick in legend.ticks], size=7)
    first, _, last = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    axes.set_yticks([])
    axes.set_xlabel(printable(legend.title), size=7, labelpad=1)


def _column(figure: Figure, column: Column, left: float, top: float) -> float:
    """Draw a result; gives the height under which its column is free."""
    width = 0.38
    _write(figure, left, top, column.label, size=13, weight="bold")
    if column.qualifier:
        top -= 0.014
        _write(figure, left, top, column.qualifier, size=8, weight="bold", color=_ALARM)
    _write(figure, left, top - 0.022, column.words, size=9)
    axes = figure.add_axes((left, top - 0.036, width, 0.008))
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
    low, high = column.thresholds
    axes.axvspan(0, column.probability, color="#075e8f", lw=0)
    axes.axvspan(low, high, color="#8a97a3", alpha=0.45, lw=0)
    for end in column.thresholds:
        axes.axvline(end, color="#14202b", lw=1.2)
    y = top - 0.049
    for line in column.lines:
        _write(figure, left, y, line, size=7.5)
        y -= 0.013
    y -= 0.006
    for name, value in column.rows:
        lines = textwrap.wrap(name, 34) or [""]
        for number, line in enumerate(lines):
            _write(figure, left, y - 0.012 * number, line, color=_SOFT, size=7.5)
        _write(figure, left + 0.225, y, value, size=7.5, weight="bold")
        y -= 0.004 + 0.012 * len(lines)
    return y


def _sections(
    figure: Figure, sections: Sequence[tuple[str, Sequence[str]]], top: float, bottom: float
) -> None:
    lines: list[tuple[str, str]] = []  # with their weight
    for heading, paragraphs in sections:
        lines += [("", "normal"), (heading, "bold")] if lines else [(heading, "bold")]
        for paragraph in paragraphs:
            lines += [(line, "normal") for line in textwrap.wrap(paragraph, 108) or [""]]
    # Many lines are printed smaller; what still does not fit is said to be left out.
    pitch = max(0.008, min(0.0145, (top - bottom) / max(1, len(lines))))
    most = int((top - bottom) / pitch + 1e-6)
    if len(lines) > most:
        lines[most - 1 :] = [("…", "normal")]
    size = 8.5 * pitch / 0.0145
    for number, (line, weight) in enumerate(lines):
        _write(figure, _LEFT, top - pitch * number, line, size=size, weight=weight)
