"""An image's name never runs as a formula in a spreadsheet."""

from __future__ import annotations

import csv
import json

from pneumo.commands.records import plain
from tests.unit.commands.shell import run

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "\u00a0=1", "\ufeff=1",
            "=HYPERLINK(\"http://evil.example\",\"x\")", "=cmd|' /C calc'!A0", "\tx", " \t @x", "-",
            "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)", "\u3000\uff1d1", "\ufe661",
            "\x01=1", "\u200b=1")  # fmt: skip
HARMLESS = ("", "film.png", "ward/=1.png", "1-2", "x=1", "'=1", " a", "NORMAL", "\u0394", "a\tb",
            "\uff21", "\u3000a")  # fmt: skip


def test_formulas_are_made_text_and_all_else_is_left():
    assert [plain(text) for text in FORMULAS] == [f"'{text}" for text in FORMULAS]
    for value in (*HARMLESS, -0.5, -3, 0.25, None, True):
        assert plain(value) is value


def test_an_image_called_like_a_formula_does_not_run(tmp_path, monkeypatch, stand_ins, capsys):
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))
    monkeypatch.chdir(tmp_path)
    name = "=HYPERLINK(1).png"
    (tmp_path / name).write_bytes(b"no image")
    out = tmp_path / "out.csv"
    assert run("predict", name, "--model", "cnn", "--format", "csv", "--output", out) == 1
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["path"] for row in rows] == [f"'{name}"]
    capsys.readouterr()
    run("predict", name, "--model", "cnn", "--format", "jsonl")
    assert json.loads(capsys.readouterr().out)["path"] == name, "a machine's record keeps it"
    assert all(not cell or cell[0] not in "=+-@\t\r" for row in rows for cell in row.values())
