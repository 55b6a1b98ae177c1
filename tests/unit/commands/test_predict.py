"""python -m pneumo predict: one record per film, in order, whatever the film."""

from __future__ import annotations

import csv
import io
import json

import cv2
import numpy as np
import pytest

from pneumo.imaging.phantom import phantom
from pneumo.models.checkpoint import load
from pneumo.reading.reader import Reader
from tests.unit.commands.shell import run


@pytest.fixture
def ward(tmp_path, monkeypatch, stand_ins):
    """A folder with two films, one in a sub-folder, and one bad file; stand-in networks."""
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))
    folder = tmp_path / "ward"
    (folder / "more").mkdir(parents=True)
    cv2.imwrite(str(folder / "b.png"), phantom(1, size=256)[0])
    cv2.imwrite(str(folder / "more" / "a.png"), phantom(2, size=200)[0][:150])
    (folder / "c.jpg").write_bytes(b"no picture")
    (folder / ".hidden").write_bytes(b"x")
    return folder


def records(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_folder_is_walked_in_order_and_a_bad_file_costs_the_exit_code_alone(ward, capsys):
    assert run("predict", ward, "--format", "jsonl", "--model", "cnn") == 1
    found = records(capsys)
    assert [r["path"] for r in found] == [str(ward / p) for p in ("b.png", "c.jpg", "more/a.png")]
    assert [r["status"] for r in found] == ["ok", "error", "ok"]
    assert found[1]["probability"] is None and found[1]["reason"].endswith(".")
    wanted = {"path", "status", "reason", "model", "probability", "label", "confidence",
              "threshold", "seconds"}
    assert all(wanted <= set(r) and r["model"] == "cnn" for r in found)


def test_all_read_is_zero_and_agrees_with_the_reader(ward, capsys, stand_ins):
    films = [ward / "more" / "a.png", ward / "b.png"]
    assert run("predict", *films, "--format", "jsonl") == 0
    reader = Reader(load("resnet18", stand_ins))
    for record, film in zip(records(capsys), films, strict=True):
        assert record["probability"] == reader.read(film).probability


def test_own_threshold(ward, capsys):
    run("predict", ward / "b.png", "--threshold", "0", "--format", "jsonl")
    run("predict", ward / "b.png", "--threshold", "1", "--format", "jsonl")
    low, high = records(capsys)
    assert (low["label"], high["label"]) == ("PNEUMONIA", "NORMAL")
    assert low["threshold"] == 0 and low["operating_point"] == "own"


def test_csv_and_table_say_the_same(ward, capsys, tmp_path):
    out = tmp_path / "out.csv"
    run("predict", ward, "--format", "csv", "--output", out)
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [row["status"] for row in rows] == ["ok", "error", "ok"]
    capsys.readouterr()
    run("predict", ward)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and f"{float(rows[0]['probability']):.3f}" in lines[1]


def test_heatmaps_have_the_films_shape_and_the_readings_evidence(ward, tmp_path, capsys, stand_ins):
    out = tmp_path / "heat"
    (ward / "more" / "b.png").write_bytes((ward / "b.png").read_bytes())
    run("predict", ward, "--heatmaps", out, "--format", "jsonl", "--model", "cnn")
    names = [r["heatmap"] for r in records(capsys)]
    assert names == ["b.npy", None, "a.npy", "b-2.npy"]
    heat = np.load(out / "a.npy")
    assert heat.dtype == np.float32 and heat.shape == (150, 200)
    assert cv2.imread(str(out / "a.png")).shape == (150, 200, 3)
    reading = Reader(load("cnn", stand_ins)).read(ward / "more" / "a.png")
    # Bilinear interpolation keeps mean and range nearly as they are: nothing was rescaled.
    assert heat.mean() == pytest.approx(reading.heat.mean(), rel=0.1)
    assert reading.heat.min() - 1e-6 <= heat.min() and heat.max() <= reading.heat.max() + 1e-6


@pytest.mark.parametrize(
    "words",
    [["predict"], ["predict", "x", "--threshold", "2"], ["predict", "x", "--model", "vgg"],
     ["nonsense"], ["predict", "x", "--format", "xml"]],
)
def test_wrong_usage_is_two(words, capsys):
    assert run(*words) == 2


def test_missing_file_is_a_record(ward, capsys):
    assert run("predict", ward / "nothing.png", "--format", "jsonl") == 1
    assert records(capsys)[0]["status"] == "error"


def test_no_checkpoint_is_a_sentence(ward, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(tmp_path / "none"))
    assert run("predict", ward / "b.png") == 1
    assert "Train the network" in capsys.readouterr().err
