"""How every figure looks and is written: colours for all eyes, one source line, stable bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by all eyes; networks differ by line and mark as well.
CLASS_COLOURS = {"NORMAL": "#0072b2", "PNEUMONIA": "#d55e00"}
NETWORK_COLOURS = ("#e69f00", "#000000", "#009e73")
NETWORK_LINES = ("--", "-", ":")
POINT_MARKS = {"balanced": "o", "high_sensitivity": "^", "high_specificity": "s"}
# Glyphs as outlines: the same picture wherever it is shown. The salt makes ids the same each time.
SETTINGS = {
    "svg.hashsalt": "pneumo", "svg.fonttype": "path", "font.family": "DejaVu Sans",
    "font.size": 10, "axes.titlesize": 11, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": "#dddddd", "grid.linewidth": 0.6, "axes.axisbelow": True,
    "legend.frameon": False, "savefig.facecolor": "white",
}


def title(card: dict) -> str:
    """The network's name for people."""
    return str(card["architecture"]["title"])


def canvas(heading: str, source: str, columns: int = 1, rows: int = 1, wide: float = 5.2,
           high: float = 4.6) -> tuple[Figure, list[Axes]]:
    """A figure with its title above, its source below, and `rows` x `columns` panels.

    Args:
        heading: the title.
        source: which films and which weights the numbers come from.
        columns: panels side by side.
        rows: panels above each other.
        wide: inches of a panel.
        high: inches of a panel.
    """
    figure = Figure(figsize=(wide * columns, high * rows + 0.7), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(heading, fontsize=13, fontweight="bold")
    figure.supxlabel(source, fontsize=8, color="#444444")
    panels = figure.subplots(rows, columns, squeeze=False)
    return figure, list(panels.flat)


def source_line(cards: Sequence[dict], films: str) -> str:
    """Films, data and weights that a figure's numbers belong to."""
    weights = "; ".join(f"{title(card)} {card['weights']['sha256'][:12]}" for card in cards)
    return f"{films}; Kermany et al. 2018, CC BY 4.0\nweights (sha256): {weights}"


def settings():
    """Context in which figures are made and written; leaves matplotlib's settings as they were."""
    return matplotlib.rc_context(SETTINGS)


def write(figure: Figure, path: Path) -> None:
    """Write a figure; an SVG has the same bytes whenever the same numbers are drawn."""
    options = {"metadata": {"Date": None}} if path.suffix == ".svg" else {"dpi": 110}
    figure.savefig(path, **options)


def unit_square(panel: Axes, across: str, up: str, low: float = 0.0) -> None:
    """Both axes from `low` to 1 in the same scale, with a little room for marks at the edge."""
    panel.set_xlim(low - 0.03, 1.03)
    panel.set_ylim(low - 0.03, 1.03)
    panel.set_aspect("equal")
    panel.set_xlabel(across)
    panel.set_ylabel(up)
