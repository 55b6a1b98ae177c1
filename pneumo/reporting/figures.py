"""The figures of docs/figures, drawn from the cards and from nothing else."""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pneumo.models.card import Card, Curve, SplitResult
from pneumo.reporting.numbers import number

# Okabe and Ito's colours, safe for colour blindness; networks differ by their line as well.
COLOURS = ("#e69f00", "#000000", "#009e73", "#cc79a7")
LINES = ("--", "-", ":", "-.")
SETTINGS = {
    "svg.hashsalt": "pneumo",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "savefig.facecolor": "white",
}


def draw(cards: Sequence[Card], folder: Path, suffix: str = ".svg") -> list[Path]:
    """Draw every figure that the cards have numbers for, and remove those they have none for.

    The files, .svg or .png, go into a folder that is made if it is missing; their paths are given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with matplotlib.rc_context(SETTINGS):  # type: ignore[arg-type]
        for stem, make in FIGURES.items():
            path, figure = folder / f"{stem}{suffix}", make(cards)
            if figure is None:
                path.unlink(missing_ok=True)  # of replaced weights
                continue
            options = {"metadata": {"Date": None}} if suffix == ".svg" else {"dpi": 110}
            figure.savefig(path, **options)
            written.append(path)
    return written


def roc(cards: Sequence[Card]) -> Figure | None:
    """Receiver operating characteristics with the presets' thresholds."""
    if not (tested := _tested(cards)):
        return None
    figure, (whole, corner) = _canvas("Receiver operating characteristic", _source(cards), 2)
    for i, (card, test) in enumerate(tested):
        label = f"{card.title}, AUC {number(test.scores.auc)}"
        alarms, found = 1 - np.array(test.curve.specificity), test.curve.sensitivity
        for panel in (whole, corner):
            panel.plot(alarms, found, LINES[i], color=COLOURS[i], label=label)
        _ends(card, test.curve, corner, COLOURS[i])
    whole.plot((0, 1), (0, 1), color="#999999", linewidth=0.8)
    _unit_square(whole, "1 − specificity", "sensitivity")
    for name, mark in MARKS.items():
        corner.plot([], [], mark, color="#666666", label=name)
    corner.legend(corner.lines[-len(MARKS) :], MARKS, loc="lower right", fontsize=8)
    whole.legend(loc="lower right", fontsize=8)
    corner.set(xlim=(-0.005, 0.4), ylim=(0.7, 1.005), xlabel="1 − specificity")
    corner.set_title("upper left corner")
    return figure


MARKS = {"decisive": "o", "balanced, both thresholds": "s", "cautious, both thresholds": "^"}


def _ends(card: Card, curve: Curve, panel: Axes, colour: str) -> None:
    """Marks at the presets' thresholds, on the curve."""
    for name, mark in MARKS.items():
        policy = card.policies[name.split(",")[0]].policy
        ends = sorted({policy.rule_out, policy.rule_in})
        alarms = 1 - np.interp(ends, curve.threshold, curve.specificity)
        found = np.interp(ends, curve.threshold, curve.sensitivity)
        panel.plot(alarms, found, mark, color=colour, markersize=6)


def confusion(cards: Sequence[Card]) -> Figure | None:
    """Labels given by the decisive threshold, for each class."""
    if not (tested := _tested(cards)):
        return None
    figure, panels = _canvas("Labels given", _source(cards), len(tested), wide=5.0, high=3)
    for panel, (card, test) in zip(panels, tested, strict=True):
        found = test.scores.confusion
        normal = found.true_negative, found.false_positive
        counts = np.array([normal, (found.false_negative, found.true_positive)])
        shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        panel.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        panel.grid(False)
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if shares[row, column] > 0.5 else "black"
            words = f"{count}\n{shares[row, column]:.1%}"
            panel.text(column, row, words, ha="center", va="center", color=colour)
        for ticks in (panel.set_xticks, panel.set_yticks):
            ticks((0, 1), ("NORMAL", "PNEUMONIA"), fontsize=8)
        panel.set_title(f"{card.title}, decisive")
    return figure


def reliability(cards: Sequence[Card]) -> Figure | None:
    """How often pneumonia was there at each balanced probability (ten equal bins)."""
    if not (tested := _tested(cards)):
        return None
    figure, panels = _canvas("Reliability of the probability", _source(cards), len(tested))
    for i, (panel, (card, test)) in enumerate(zip(panels, tested, strict=True)):
        panel.plot((0, 1), (0, 1), color="#999999", linewidth=0.8)
        found = [one.probability for one in test.reliability]
        true = [one.frequency for one in test.reliability]
        panel.plot(found, true, LINES[i] + "o", color=COLOURS[i], markersize=5)
        for one in test.reliability:
            place = (one.probability, one.frequency)
            panel.annotate(str(one.n), place, (5, -11), textcoords="offset points", fontsize=7)
        panel.set_title(f"{card.title}, calibration error {number(test.scores.ece)}")
        _unit_square(panel, "mean balanced probability (number: radiographs)", "pneumonia, share")
    return figure


def training(cards: Sequence[Card]) -> Figure | None:
    """Losses and validation AUC after every epoch, a column a network."""
    trained = [card for card in cards if card.training.history]
    if not trained:
        return None
    source = _source(trained, "train split")
    figure, panels = _canvas("Training", source, len(trained), 2, high=2.8)
    for column, card in enumerate(trained):
        history = card.training.history
        epochs = [one.epoch for one in history]
        loss, area = panels[column :: len(trained)]
        for i, name in enumerate(dict.fromkeys(name for one in history for name in one.losses)):
            values = [one.losses.get(name, np.nan) for one in history]
            loss.plot(epochs, values, LINES[i % 4] + "o", ms=3, color=COLOURS[i % 4], label=name)
        aucs = np.array([(one.validation_auc, one.degraded_auc) for one in history]).T
        area.plot(epochs, aucs[0], "-o", ms=3, color="#0072b2", label="validation")
        area.plot(epochs, aucs[1], "--o", ms=3, color="#d55e00", label="degraded copies")
        loss.set(ylim=(0, None), title=card.title)
        area.set(xlabel="epoch", ylabel="AUC")
        for panel in (loss, area):
            panel.set_xticks(epochs[:: max(1, len(epochs) // 10)])
            panel.legend(fontsize=8)
    return figure


# File stem -> how it is made of the cards; None where they lack the numbers.
FIGURES: dict[str, Callable[[Sequence[Card]], Figure | None]] = {
    "roc": roc,
    "confusion": confusion,
    "reliability": reliability,
    "training": training,
}


def _tested(cards: Sequence[Card]) -> list[tuple[Card, SplitResult]]:
    return [(card, card.metrics.test) for card in cards if card.metrics.test]


def _source(cards: Sequence[Card], split: str = "official test split") -> str:
    """Data and weights that a figure's numbers belong to."""
    weights = "; ".join(f"{card.title} {card.weights.sha256[:12]}" for card in cards)
    return f"{split}; Kermany et al. 2018, CC BY 4.0\nweights (sha256): {weights}"


def _canvas(
    heading: str, source: str, columns: int = 1, rows: int = 1, wide: float = 5.2, high: float = 4.6
) -> tuple[Figure, list[Axes]]:
    """A figure with its title, the source of its numbers, and panels of so many inches."""
    figure = Figure(figsize=(wide * columns, high * rows + 0.7), layout="constrained")
    figure.suptitle(heading, fontsize=13, fontweight="bold")
    figure.supxlabel(source, fontsize=8, color="#444444")
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def _unit_square(panel: Axes, across: str, up: str) -> None:
    """Both axes from 0 to 1 in the same scale, with a little room for marks at the edge."""
    panel.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal", xlabel=across, ylabel=up)
