"""The audit as one picture: class counts, and how sharp and how compressed each class is."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from pneumo.data.audit import Audit, give_away
from pneumo.data.dataset import CLASSES

COLOURS = ("#0072b2", "#d55e00")  # Okabe and Ito's blue and vermilion: told apart by all eyes
BINS = 40
AXIS = {
    "sharpness": "sharpness: variance of the Laplacian at 224 x 224",
    "bytes_per_pixel": "compression: file bytes per pixel",
}


def draw(found: Audit, file: Path) -> None:
    """Draws the audit into a file whose ending tells the kind (.png, .svg, .pdf)."""
    splits = found.splits()
    figure = Figure(figsize=(13, 1 + 2.6 * len(splits)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(len(splits), 3, width_ratios=(1, 2, 2))
    counts = figure.add_subplot(grid[:, 0])
    _counts(found, counts)
    for column, name in enumerate(AXIS, 1):
        values = np.array([getattr(one, name) for one in found.measured])
        bins = np.geomspace(max(values.min(), 1e-6), max(values.max(), 1e-5) * 1.0001, BINS)
        for row, split in enumerate(splits):
            panel = figure.add_subplot(grid[row, column])
            _distribution(found, split, name, bins.tolist(), panel)
            if row == len(splits) - 1:
                panel.set_xlabel(AXIS[name])
    classes = counts.get_legend_handles_labels()
    figure.legend(*classes, loc="outside upper left", frameon=False, ncols=2)
    figure.savefig(file, dpi=120)


def _counts(found: Audit, panel: Axes) -> None:
    splits = found.splits()
    for label, name in enumerate(CLASSES):
        counts = [len(found.of(split, label)) for split in splits]
        places = np.arange(len(splits)) + (label - 0.5) * 0.4
        bars = panel.bar(places, counts, 0.4, color=COLOURS[label], label=name)
        panel.bar_label(bars, fontsize=8)
    panel.set_xticks(range(len(splits)), splits)
    panel.set_title("radiographs")
    panel.spines[["top", "right"]].set_visible(False)


def _distribution(found: Audit, split: str, name: str, bins: list[float], panel: Axes) -> None:
    for label, called in enumerate(CLASSES):
        values = [getattr(one, name) for one in found.of(split, label)]
        share = np.full(len(values), 1 / max(len(values), 1))
        panel.hist(
            values,
            bins,
            weights=share,
            histtype="stepfilled",
            alpha=0.5,
            color=COLOURS[label],
            label=called,
        )
    area = give_away(found.of(split), name)
    tells = "" if area is None else f", AUC {area:.2f}"
    panel.set_title(f"{split}: {name.replace('_', ' ')}{tells}", fontsize=10)
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
    panel.xaxis.set_major_formatter("{x:g}")
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.set_ylabel("share of class")
    panel.spines[["top", "right"]].set_visible(False)
