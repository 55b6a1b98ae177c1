"""A film's name never runs in a spreadsheet, whoever wrote the table: page or command line."""

from __future__ import annotations

import csv

from pneumo.commands.spreadsheet import plain
from pneumo.ui.assets_text import asset
from tests.unit.commands.shell import run

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "\u00a0=1", "\ufeff=1",
            "=HYPERLINK(\"http://evil.example\",\"x\")", "=cmd|' /C calc'!A0", "\tx", " \t @x", "-")
HARMLESS = ("", "film.png", "ward/=1.png", "1-2", "x=1", "'=1", " a", "NORMAL", "\u0394", "a\tb")



def test_formulas_are_made_text_and_all_else_is_left():
    assert [plain(text) for text in FORMULAS] == [f"'{text}" for text in FORMULAS]
    for value in (*HARMLESS, -0.5, -3, 0.25, None, True):
        assert plain(value) is value


def test_page_and_command_line_agree(chromium):
    page = chromium.new_page()
    try:
        said = page.evaluate(
            f"(texts) => {{ {asset('table.js')}; return texts.map(cell); }}",
            [*FORMULAS, *HARMLESS])
    finally:
        page.close()
    read = [next(csv.reader([text], strict=True)) if "\n" not in text and "\r" not in text
            else [text.strip('"').replace('""', '"')] for text in said]
    assert [row[0] if row else "" for row in read] == [plain(t) for t in (*FORMULAS, *HARMLESS)]


def test_a_film_called_like_a_formula_does_not_run(tmp_path, monkeypatch, stand_ins):
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))
    monkeypatch.chdir(tmp_path)
    name = "=HYPERLINK(1).png"
    (tmp_path / name).write_bytes(b"no film")
    out = tmp_path / "out.csv"
    assert run("predict", name, "--model", "cnn", "--format", "csv", "--output", out) == 1
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["path"] for row in rows] == [f"'{name}"]
    assert all(not cell or cell[0] not in "=+-@\t\r" for row in rows for cell in row.values())


def test_a_machines_record_keeps_the_name_as_it_is(tmp_path, monkeypatch, stand_ins, capsys):
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "=1.png").write_bytes(b"no film")
    run("predict", "=1.png", "--model", "cnn", "--format", "jsonl")
    assert '"path": "=1.png"' in capsys.readouterr().out
