"""python -m pneumo benchmark: what it prints, and a sentence when there is nothing to measure."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from pneumo.imaging.phantom import phantom
from tests.commands.shell import run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def networks(stand_ins, monkeypatch):
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))


def test_nothing_to_measure_is_a_sentence(tmp_path, capsys):
    assert run("benchmark", "batch", tmp_path) == 1
    assert capsys.readouterr().err.strip().endswith(".")


def test_an_unknown_network_is_a_sentence(film_png, capsys):
    assert run("benchmark", "batch", film_png, "--model", "nobody") == 1
    assert "nobody" in capsys.readouterr().err


@pytest.mark.slow
def test_both_ways_are_timed_on_the_same_films(tmp_path):
    for seed in range(3):
        assert cv2.imwrite(str(tmp_path / f"{seed}.png"), phantom(seed, 256)[0])
    # In a process of its own: one process cannot start a second browser for the browser tests'.
    words = ["benchmark", "batch", str(tmp_path), "--model", "cnn", "--rounds", "2"]
    shown = subprocess.run([sys.executable, "-m", "pneumo", *words], check=True, text=True,
                           capture_output=True, cwd=ROOT).stdout
    line, page, ratio = (
        float(re.search(rf"^{name} +([\d.]+)", shown, re.M)[1])
        for name in ("predict", "many films", "ratio")
    )
    assert line > 0 and page > 0 and ratio > 0 and "3 films, cnn" in shown


@pytest.mark.parametrize("data", [False, True])
def test_training_steps_are_timed_bare_and_whole(data, drawn_dataset, capsys):
    more = ["--data", drawn_dataset] if data else []
    words = ["--model", "cnn", "--size", 64, "--batch", 4, "--steps", 2, "--rounds", 1]
    assert run("benchmark", "training", *words, *more) == 0
    shown = capsys.readouterr().out
    times = [float(re.search(rf"^{name} +([\d.]+) ms", shown, re.M)[1])
             for name in ("bare", "training", "on the same films", "without evidence",
                          "in a lung epoch")]
    ratios = [float(value) for value in re.findall(r"ratio ([\d.]+)", shown)]
    assert min(times) > 0
    assert ratios == pytest.approx([times[0] / time for time in times[1:]], abs=0.01, rel=0.01)


def test_training_without_films_is_a_sentence(tmp_path, capsys):
    assert run("benchmark", "training", "--data", tmp_path) == 1
    assert "data download" in capsys.readouterr().err
