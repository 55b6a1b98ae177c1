"""The curves of a run: rows as it goes, none twice after a resume, and a picture of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pneumo.evaluation.curves import COLUMNS, Curves, read_curves


def an_epoch(curves: Curves, epoch: int, steps: int = 25, last: int | None = None) -> None:
    """Steps of an epoch, all of them and its end, or up to `last` as a kill leaves it."""
    for i in range(1, (last or steps) + 1):
        step = (epoch - 1) * steps + i
        misplaced = np.nan if i % 2 else 0.25
        curves.step(epoch, step, 1 / step, misplaced, 1e-3, 2.0 * step)
    if last is None:
        entry = {"epoch": epoch, "validation_auc": 0.9, "validation_auc_degraded": 0.8,
                 "learning_rate": 5e-4}
        curves.epoch(entry, epoch * steps, 50.0 * epoch)


def test_rows_of_steps_and_epochs(tmp_path):
    an_epoch(Curves(tmp_path), 1)
    rows = read_curves(tmp_path / "curves.csv")
    assert [row["step"] for row in rows] == [10, 20, 25, 25]
    assert rows[0]["loss"] == pytest.approx(np.mean([1 / i for i in range(1, 11)]), rel=1e-5)
    assert rows[0]["evidence_misplaced"] == 0.25 and np.isnan(rows[0]["validation_auc"])
    assert rows[-1]["validation_auc"] == 0.9 and np.isnan(rows[-1]["loss"])
    assert tuple((tmp_path / "curves.csv").read_text().splitlines()[0].split(",")) == COLUMNS


def test_a_resumed_run_has_no_row_twice(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    curves = Curves(whole)
    for epoch in (1, 2, 3):
        an_epoch(curves, epoch)
    curves = Curves(cut)
    an_epoch(curves, 1)
    an_epoch(curves, 2, last=21)
    table = cut / "curves.csv"
    table.write_text(table.read_text() + "2,30,0.0")  # the kill came while a row was written
    again = Curves(cut)
    again.resume(1)
    for epoch in (2, 3):
        an_epoch(again, epoch)
    assert table.read_text() == (whole / "curves.csv").read_text()


def test_a_new_run_replaces_the_table(tmp_path):
    an_epoch(Curves(tmp_path), 1)
    an_epoch(Curves(tmp_path), 1, steps=10)
    assert [row["step"] for row in read_curves(tmp_path / "curves.csv")] == [10, 10]


def test_resuming_without_a_table_begins_one(tmp_path):
    # A state kept before there were curves.
    curves = Curves(tmp_path)
    curves.resume(1)
    an_epoch(curves, 2, steps=10)
    assert [row["epoch"] for row in read_curves(tmp_path / "curves.csv")] == [2, 2]


def test_the_picture_shows_the_curves(tmp_path):
    curves = Curves(tmp_path)
    an_epoch(curves, 1)
    before = cv2.imread(str(tmp_path / "curves.png"))
    an_epoch(curves, 2)
    after = cv2.imread(str(tmp_path / "curves.png"))
    assert before.shape == after.shape and not np.array_equal(before, after)
    assert {path.name for path in tmp_path.iterdir()} == {"curves.csv", "curves.png"}
