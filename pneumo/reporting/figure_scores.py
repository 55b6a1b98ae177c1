"""Figures of the official test films: ROC, precision-recall, confusion, reliability, scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pneumo.reporting.figure_numbers import histograms, precision_recall
from pneumo.reporting.figure_style import (
    CLASS_COLOURS,
    NETWORK_COLOURS,
    NETWORK_LINES,
    POINT_MARKS,
    canvas,
    source_line,
    title,
    unit_square,
)

COUNTS = (("true_negative", "false_positive"), ("false_negative", "true_positive"))
COMPARED = (
    ("auc", "AUC"), ("accuracy", "accuracy"), ("sensitivity", "sensitivity"),
    ("specificity", "specificity"),
)


def _tested(cards: Sequence[dict]) -> list[dict]:
    keys = ("test", "test_curve", "test_reliability")
    return [card for card in cards if all(card["metrics"].get(key) for key in keys)]


def _source(cards: Sequence[dict]) -> str:
    return source_line(cards, f"{cards[0]['metrics']['test']['n']} official test films")


def roc(cards: Sequence[dict]) -> Figure | None:
    """Receiver operating characteristics with the operating points and their exact intervals."""
    cards = _tested(cards)
    if not cards:
        return None
    figure, (whole, corner) = canvas("Receiver operating characteristic", _source(cards), 2)
    for i, card in enumerate(cards):
        curve, auc = card["metrics"]["test_curve"], card["metrics"]["test"]["auc"]
        label = (f"{title(card)}, AUC {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})")
        for panel in (whole, corner):
            panel.plot(1 - np.array(curve["specificity"]), curve["sensitivity"],
                       NETWORK_LINES[i], color=NETWORK_COLOURS[i], label=label)
            _points(card, panel, NETWORK_COLOURS[i], intervals=panel is corner)
    whole.plot((0, 1), (0, 1), color="#999999", linewidth=0.8)
    unit_square(whole, "1 − specificity", "sensitivity")
    marks = [
        Line2D([], [], color="#666666", marker=mark, linestyle="", label=name.replace("_", " "))
        for name, mark in POINT_MARKS.items()
    ]
    whole.legend(handles=[*whole.get_legend_handles_labels()[0], *marks], loc="lower right",
                 fontsize=8)
    corner.set_xlim(-0.005, 0.4)
    corner.set_ylim(0.7, 1.005)
    corner.set_xlabel("1 − specificity")
    corner.set_title("upper left corner, with exact 95 % intervals")
    return figure


def _points(card: dict, panel: Axes, colour: str, intervals: bool) -> None:
    for name, point in card["operating_points"].items():
        if test := point.get("test"):
            across, up = test["specificity"], test["sensitivity"]
            spread = {
                "xerr": [[across["high"] - across["value"]], [across["value"] - across["low"]]],
                "yerr": [[up["value"] - up["low"]], [up["high"] - up["value"]]],
            } if intervals else {}
            panel.errorbar(1 - across["value"], up["value"], fmt=POINT_MARKS.get(name, "o"),
                           color=colour, markersize=6, elinewidth=0.8, capsize=2, **spread)


def precision(cards: Sequence[dict]) -> Figure | None:
    """Precision (positive predictive value at the test films' share of pneumonia) and recall."""
    cards = _tested(cards)
    if not cards:
        return None
    figure, (panel,) = canvas("Precision and recall", _source(cards), wide=6.4, high=5)
    for i, card in enumerate(cards):
        test = card["metrics"]["test"]
        recall, value = precision_recall(card["metrics"]["test_curve"], test["n"],
                                         test["positives"])
        panel.plot(recall, value, NETWORK_LINES[i], color=NETWORK_COLOURS[i], label=title(card))
    share = cards[0]["metrics"]["test"]["positives"] / cards[0]["metrics"]["test"]["n"]
    panel.axhline(share, color="#999999", linewidth=0.8, label=f"share of pneumonia, {share:.3f}")
    unit_square(panel, "recall (sensitivity)", "precision (positive predictive value)", 0.5)
    panel.legend(loc="lower left")
    return figure


def confusion(cards: Sequence[dict]) -> Figure | None:
    """Confusion matrices of all networks side by side, at the balanced operating point."""
    cards = _tested(cards)
    if not cards:
        return None
    figure, panels = canvas("Confusion at the balanced operating point", _source(cards),
                            len(cards), wide=4.4, high=3.8)
    for panel, card in zip(panels, cards, strict=True):
        test = card["metrics"]["test"]
        counts = np.array([[test["confusion"][name] for name in row] for row in COUNTS])
        shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        panel.grid(False)
        for (row, column), count in np.ndenumerate(counts):
            panel.text(column, row, f"{count}\n{shares[row, column]:.1%}", ha="center",
                       va="center", color="white" if shares[row, column] > 0.5 else "black")
        panel.set_xticks((0, 1), ("called NORMAL", "called PNEUMONIA"))
        panel.set_yticks((0, 1), ("NORMAL", "PNEUMONIA"), rotation=90, va="center")
        panel.set_title(f"{title(card)}, threshold {test['threshold']:.3f}")
    return figure


def reliability(cards: Sequence[dict]) -> Figure | None:
    """How often pneumonia was there at each probability that was given (ten equal bins)."""
    cards = _tested(cards)
    if not cards:
        return None
    figure, panels = canvas("Reliability of the probability", _source(cards), len(cards))
    for i, (panel, card) in enumerate(zip(panels, cards, strict=True)):
        bins, ece = card["metrics"]["test_reliability"], card["metrics"]["test"]["ece"]
        given = [one["probability"] for one in bins]
        panel.plot((0, 1), (0, 1), color="#999999", linewidth=0.8)
        panel.plot(given, [one["frequency"] for one in bins], NETWORK_LINES[i] + "o",
                   color=NETWORK_COLOURS[i], markersize=5)
        for one in bins:
            panel.annotate(str(one["n"]), (one["probability"], one["frequency"]), (5, -11),
                           textcoords="offset points", fontsize=7)
        panel.set_title(f"{title(card)}, ECE {ece['value']:.3f} "
                        f"({ece['low']:.3f} to {ece['high']:.3f})")
        unit_square(panel, "mean probability of the bin (number: films)", "share with pneumonia")
    return figure


def scores(cards: Sequence[dict]) -> Figure | None:
    """Histograms of the probability, by class, with the balanced threshold."""
    cards = _tested(cards)
    if not cards:
        return None
    figure, panels = canvas("Probability of pneumonia, by class", _source(cards), len(cards),
                            high=3.6)
    for panel, card in zip(panels, cards, strict=True):
        test = card["metrics"]["test"]
        counts = histograms(card["metrics"]["test_curve"], test["n"], test["positives"])
        for name, hatch in (("PNEUMONIA", None), ("NORMAL", "////")):
            panel.stairs(counts[name], counts["edges"], fill=True, alpha=0.55, hatch=hatch,
                         color=CLASS_COLOURS[name], label=name)
        panel.axvline(test["threshold"], color="black", linewidth=1,
                      label=f"threshold {test['threshold']:.3f}")
        # Most films lie at the ends; a linear scale would hide the doubtful ones between them.
        panel.set_yscale("symlog", linthresh=1)
        panel.set_yticks((0, 1, 3, 10, 30, 100, 300), ("0", "1", "3", "10", "30", "100", "300"))
        panel.set_xlim(0, 1)
        panel.set_xlabel("calibrated probability")
        panel.set_ylabel("films")
        panel.set_title(title(card))
        panel.legend(fontsize=8, loc="upper center", frameon=True, framealpha=1, edgecolor="white")
    return figure


def comparison(cards: Sequence[dict]) -> Figure | None:
    """The networks beside each other, and the pneumonias that each of them misses."""
    cards = _tested(cards)
    if not cards:
        return None
    figure, (rates, missed) = canvas("The networks compared", _source(cards), 2)
    rates.set_title("at the balanced operating point, bootstrap 95 % intervals")
    for i, card in enumerate(cards):
        test = card["metrics"]["test"]
        places = np.arange(len(COMPARED)) + (i - (len(cards) - 1) / 2) * 0.22
        values = np.array([test[key]["value"] for key, _ in COMPARED])
        spread = np.abs([[test[key][end] for key, _ in COMPARED] for end in ("low", "high")]
                        - values)
        rates.errorbar(places, values, yerr=spread, fmt="os^"[i], color=NETWORK_COLOURS[i],
                       capsize=3, label=title(card))
        for place, value in zip(places, values, strict=True):
            side = -1 if i == 0 else 1
            rates.annotate(f"{value:.3f}", (place, value), (6 * side, 0), va="center",
                           textcoords="offset points", fontsize=7,
                           ha="right" if side < 0 else "left")
    rates.set_xticks(range(len(COMPARED)), [name for _, name in COMPARED])
    rates.set_xlim(-0.6, len(COMPARED) - 0.4)
    rates.legend(loc="lower left")
    _missed(cards, missed)
    return figure


def _missed(cards: Sequence[dict], panel: Axes) -> None:
    """False negatives at each operating point, of all pneumonias among the test films."""
    names = [name for name in POINT_MARKS if all(
        card["operating_points"].get(name, {}).get("test") for card in cards)]
    for i, card in enumerate(cards):
        found = [card["operating_points"][name]["test"]["sensitivity"] for name in names]
        counts = [round((1 - rate["value"]) * rate["n"]) for rate in found]
        places = np.arange(len(names)) + (i - (len(cards) - 1) / 2) * 0.35
        bars = panel.bar(places, counts, 0.35, color=NETWORK_COLOURS[i], label=title(card))
        panel.bar_label(bars)
    panel.set_xticks(range(len(names)), [name.replace("_", " ") for name in names])
    panel.set_ylabel("films")
    panel.set_ylim(bottom=0)
    panel.margins(y=0.15)
    panel.grid(False, axis="x")
    positives = cards[0]["metrics"]["test"]["positives"]
    panel.set_title(f"missed pneumonias (false negatives) of {positives}")
    panel.legend(loc="upper left")
