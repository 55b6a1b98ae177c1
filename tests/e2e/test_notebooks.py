"""The course's notebooks run from top to bottom, on the real dataset where it is."""

from __future__ import annotations

import runpy

import pytest

from tests.conftest import find_data
from tests.served import ROOT
from tests.unit.commands.shell import run

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_jupytext_finds_text_and_code(path):
    cells = pytest.importorskip("jupytext").read(path).cells
    assert {cell.cell_type for cell in cells} == {"markdown", "code"} and len(cells) >= 5


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path, drawn_dataset, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    data = find_data() or drawn_dataset
    for name, value in (("DATA", str(data)), ("EPOCHS", "1")):
        monkeypatch.setenv(f"PNEUMO_{name}", value)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    runpy.run_path(str(path))


def test_figures_draws_the_data_and_the_maps_of_both_networks(
    drawn_dataset, stand_ins, tmp_path, monkeypatch
):
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))
    assert run("figures", "--data", drawn_dataset, "--out", tmp_path / "figures") == 0
    names = {path.stem for path in (tmp_path / "figures").iterdir()}
    maps = {f"gradcam-{model}-{kind}" for model in ("cnn", "resnet18")
            for kind in ("normal", "pneumonia")}  # fmt: skip
    assert maps | {"data", "samples", "missed"} <= names
