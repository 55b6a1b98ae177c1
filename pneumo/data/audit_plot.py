"""The audit as one picture: class counts, and how sharp and how compressed each class is."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pneumo.data.audit import Audit, give_away
from pneumo.data.dataset import CLASSES

COLOURS = ("#0072b2", "#d55e00")  # Okabe and Ito's blue and vermilion: safe for colour blindness
AXIS = {
    "sharpness": "sharpness: variance of the Laplacian at 224 x 224",
    "bytes_per_pixel": "compression: file bytes per pixel",
}


def draw(found: Audit, file: Path) -> None:
    """Draws the audit into a file whose ending tells the kind (.png, .svg, .pdf)."""
    splits = found.splits()
    figure = Figure(figsize=(13, 1 + 2.6 * len(splits)), layout="constrained")
    panels = figure.subplots(len(splits), 1 + len(AXIS), squeeze=False)
    for split, (counts, *row) in zip(splits, panels, strict=True):
        of = [found.of(split, label) for label in (0, 1)]
        counts.bar_label(counts.bar(CLASSES, [len(part) for part in of], color=COLOURS))
        counts.set_title(f"{split}: radiographs", fontsize=10)
        for panel, (name, words) in zip(row, AXIS.items(), strict=True):
            values = [np.array([getattr(one, name) for one in part]) for part in of]
            everything = np.maximum(np.concatenate(values), 1e-6)
            bins = np.geomspace(everything.min(), everything.max() * 1.0001, 40).tolist()
            for label, part in enumerate(values):
                share = np.full(len(part), 1 / max(len(part), 1))
                style = {"color": COLOURS[label], "label": CLASSES[label], "alpha": 0.5}
                panel.hist(part, bins, weights=share, histtype="stepfilled", **style)
            area = give_away(found.of(split), name)
            panel.set_title(f"{split}" + ("" if area is None else f": AUC {area:.2f}"), fontsize=10)
            panel.set(xscale="log", xlabel=words, ylabel="share of class")
    figure.legend(*panels[0, 1].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    figure.savefig(file, dpi=120)
