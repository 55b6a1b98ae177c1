"""The curves of a run, written while it goes on: curves.csv, and curves.png drawn from it."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pneumo.reporting.figure_style import canvas, settings, write

COLUMNS = (
    "epoch", "step", "loss", "evidence_misplaced", "learning_rate", "validation_auc",
    "validation_auc_degraded", "seconds",
)
# Steps in a row of the table.
EVERY = 10
# Column -> what it is called, line, colour; Okabe and Ito's colours.
SHARES = {
    "loss": ("loss", "-", "#000000"),
    "evidence_misplaced": ("share of evidence misplaced", "-", "#009e73"),
}
AREAS = {
    "validation_auc": ("films as they are", "o-", "#0072b2"),
    "validation_auc_degraded": ("degraded films", "s--", "#d55e00"),
}


class Curves:
    """Writes a run's table of steps and epochs, and draws it after every epoch.

    A row of steps holds means over the last `EVERY` steps of an epoch, the learning rate of the
    last of them and the seconds of training so far. A row of an epoch holds its validation AUCs.
    What a row does not tell is empty.

    Args:
        folder: of the run; the table of an earlier run is replaced with the first row, unless
            the run is resumed.
    """

    def __init__(self, folder: Path) -> None:
        self.table, self.picture = folder / "curves.csv", folder / "curves.png"
        self._waiting: list[tuple[float, float]] = []
        self._begun = False

    def resume(self, epoch: int) -> None:
        """Keep the rows of whole epochs; what a kill cut off is trained and written again."""
        self._begun = True
        rows = [row for row in read_curves(self.table) if row["epoch"] <= epoch]
        part = self.table.with_suffix(".part")
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows([_cell(row[name]) for name in COLUMNS] for row in rows)
        os.replace(part, self.table)

    def step(
        self, epoch: int, step: int, loss: float, misplaced: float, rate: float, seconds: float
    ) -> None:
        """One step more.

        Args:
            epoch: under way, counted from 1.
            step: of all steps of the run, counted from 1.
            loss: of the step.
            misplaced: share of evidence, not a number where none was judged.
            rate: the learning rate of the step.
            seconds: of training so far.
        """
        self._waiting.append((loss, misplaced))
        if len(self._waiting) == EVERY:
            self._write_waiting(epoch, step, rate, seconds)

    def epoch(self, entry: dict, step: int, seconds: float) -> None:
        """One epoch more; also draws the picture.

        Args:
            entry: of the trainer's history.
            step: steps of the run so far.
            seconds: of training so far.
        """
        if self._waiting:
            self._write_waiting(entry["epoch"], step, entry["learning_rate"], seconds)
        areas = {name: entry[name] for name in AREAS}
        self._append({"epoch": entry["epoch"], "step": step, **areas, "seconds": seconds})
        with settings():
            part = self.picture.with_name("curves.part.png")
            write(draw(read_curves(self.table)), part)
        os.replace(part, self.picture)

    def _write_waiting(self, epoch: int, step: int, rate: float, seconds: float) -> None:
        losses, shares = (np.array(values) for values in zip(*self._waiting, strict=True))
        judged = shares[np.isfinite(shares)]
        self._append({
            "epoch": epoch, "step": step, "loss": losses.mean(),
            "evidence_misplaced": judged.mean() if len(judged) else np.nan,
            "learning_rate": rate, "seconds": seconds,
        })
        self._waiting.clear()

    def _append(self, row: dict[str, float]) -> None:
        self.table.parent.mkdir(parents=True, exist_ok=True)
        with self.table.open("a" if self._begun else "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if not self._begun:
                writer.writerow(COLUMNS)
            writer.writerow([_cell(row.get(name, np.nan)) for name in COLUMNS])
        self._begun = True


def _cell(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.6g}"


def read_curves(table: Path) -> list[dict[str, float]]:
    """The rows of a table of curves; an empty cell is not a number.

    Args:
        table: curves.csv. A line that a kill cut in two is left out; no file has no rows.
    """
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        lines = [line for line in csv.reader(file) if len(line) == len(COLUMNS)]
    return [
        {name: float(cell) if cell else np.nan for name, cell in zip(COLUMNS, line, strict=True)}
        for line in lines[1:]
    ]


def draw(rows: list[dict[str, float]]) -> Figure:
    """Loss and misplaced evidence, validation AUC, and learning rate over the steps."""
    source = f"step {rows[-1]['step']:.0f}, epoch {rows[-1]['epoch']:.0f}, " \
             f"{rows[-1]['seconds'] / 60:.0f} minutes of training"
    figure, panels = canvas("Training", source, rows=3, wide=7.0, high=2.3)
    for panel, lines in zip(panels, (SHARES, AREAS), strict=False):
        for column, (name, line, colour) in lines.items():
            steps, values = _column(rows, column)
            if len(values):
                panel.plot(steps, values, line, color=colour, markersize=4, label=name)
        panel.legend(fontsize=8)
    panels[0].set_ylim(bottom=0)
    panels[1].set_ylabel("validation AUC")
    panels[2].semilogy(*_column(rows, "learning_rate"), color="#666666")
    panels[2].set_ylabel("learning rate")
    panels[2].set_xlabel("step")
    ends = _column(rows, "validation_auc")[0]
    for panel in panels:
        panel.set_xlim(0, max(row["step"] for row in rows) * 1.02)
        for end in ends:
            panel.axvline(end, color="#bbbbbb", linewidth=0.7, linestyle=":")
    return figure


def _column(rows: list[dict[str, float]], name: str) -> tuple[list[float], list[float]]:
    told = [(row["step"], row[name]) for row in rows if not np.isnan(row[name])]
    return [step for step, _ in told], [value for _, value in told]
