"""Figures of validation: the course of training, and what spoiled films cost."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.figure import Figure

from pneumo.reporting.figure_style import (
    NETWORK_COLOURS,
    canvas,
    source_line,
    title,
)

# Key of an epoch's record -> what it is called, line, colour.
LOSSES = {
    "loss": ("loss", "-", "#000000"),
    "evidence_outside": ("share of evidence outside the lungs", "--", "#009e73"),
    "evidence_misplaced": ("share of evidence misplaced", "--", "#009e73"),
}
AREAS = {
    "validation_auc": ("films as they are", "-", "#0072b2"),
    "validation_auc_degraded": ("degraded films", "--", "#d55e00"),
}
RATES = (("auc", "AUC"), ("sensitivity", "sensitivity"), ("specificity", "specificity"))


def training(cards: Sequence[dict]) -> Figure | None:
    """Loss, validation AUC and learning rate after every epoch, a column a network."""
    cards = [card for card in cards if card["training"].get("history")]
    if not cards:
        return None
    figure, panels = canvas("The course of training", source_line(cards, "train split"),
                            len(cards), 3, high=2.6)
    for column, card in enumerate(cards):
        history = card["training"]["history"]
        loss, area, rate = panels[column :: len(cards)]
        for panel, lines in ((loss, LOSSES), (area, AREAS)):
            for key, (name, line, colour) in lines.items():
                found = [(one["epoch"], one[key]) for one in history if one.get(key) is not None]
                if found:
                    panel.plot(*zip(*found, strict=True), line, marker="o", markersize=3,
                               color=colour, label=name)
            panel.legend(fontsize=8)
        loss.set_ylim(bottom=0)
        loss.set_title(title(card))
        area.set_ylabel("validation AUC")
        places = [one["epoch"] for one in history]
        rate.semilogy(places, [one["learning_rate"] for one in history], "o-", color="#666666",
                      markersize=3)
        rate.set_ylabel("learning rate\nat the epoch's end")
        rate.set_xlabel("epoch")
        for panel in (loss, area, rate):
            _phases(history, panel)
    return figure


def _phases(history: list[dict], panel) -> None:
    """A thin line where a phase or the picture size changes; whole epochs on the axis."""
    panel.set_xticks([one["epoch"] for one in history][:: max(1, len(history) // 10)])
    for before, after in pairwise(history):
        if (before.get("phase"), before.get("size")) != (after.get("phase"), after.get("size")):
            panel.axvline(after["epoch"] - 0.5, color="#999999", linewidth=0.8, linestyle=":")


def corruptions(cards: Sequence[dict]) -> Figure | None:
    """AUC, sensitivity and specificity on spoiled validation films, a row a corruption."""
    cards = [card for card in cards if card["metrics"].get("corruptions")]
    if not cards:
        return None
    n = cards[0]["metrics"]["corruptions"][0]["n"]
    figure, panels = canvas("Spoiled films, at the balanced operating point",
                            source_line(cards, f"{n} validation films, all spoiled alike"),
                            len(RATES), wide=4, high=5.6)
    names = [row["corruption"] for row in cards[0]["metrics"]["corruptions"]]
    for panel, (key, name) in zip(panels, RATES, strict=True):
        for i, card in enumerate(cards):
            rows = {row["corruption"]: row[key] for row in card["metrics"]["corruptions"]}
            values = [rows.get(one, np.nan) for one in names]
            heights = np.arange(len(names)) + (i - (len(cards) - 1) / 2) * 0.36
            panel.plot(values, heights, "os^"[i], color=NETWORK_COLOURS[i], markersize=5,
                       label=title(card))
            panel.axvline(values[0], color=NETWORK_COLOURS[i], linewidth=0.8)
        shown = panel is panels[0]
        panel.set_yticks(range(len(names)), names if shown else [""] * len(names))
        panel.invert_yaxis()
        panel.set_title(name)
    low = min(row["auc"] for card in cards for row in card["metrics"]["corruptions"])
    # The AUC would look shaky on an axis of its own range; this one spans what would matter.
    panels[0].set_xlim(right=1, left=min(low, 0.95) - 0.005)
    panels[1].set_xlabel("lines: films as they are")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", fontsize=9,
                  ncols=len(cards))
    return figure
