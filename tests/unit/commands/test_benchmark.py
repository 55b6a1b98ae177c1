"""pneumo benchmark: a suite gives a table, and the same numbers as JSON."""

from __future__ import annotations

import json

import pytest

from tests.unit.commands.shell import run


@pytest.mark.parametrize("suite", ["read", "batch"])
def test_a_suite_prints_a_table_and_writes_its_numbers(suite, images, tmp_path, capsys):
    out = tmp_path / "numbers.json"
    words = (suite, images / "image-0.png", images / "image-1.png", "--model", "cnn")
    assert run("benchmark", *words, "--rounds", 1, "--json", out) == 0
    facts = json.loads(out.read_text())
    assert facts["cores"] >= 1 and facts["radiographs"] == 2
    shown = capsys.readouterr().out
    for row in facts[suite]:
        assert row["median"] > 0 and row["ratio"] > 0 and row["name"] in shown


def test_files_that_are_no_radiographs_are_named(tmp_path, capsys):
    (tmp_path / "x.png").write_bytes(b"no image")
    assert run("benchmark", "read", tmp_path) == 1
    assert "radiographs" in capsys.readouterr().err
