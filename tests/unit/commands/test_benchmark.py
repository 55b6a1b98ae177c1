"""python -m pneumo benchmark: what it prints, and a sentence when there is nothing to measure."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest
import torch

from pneumo.evaluation import step_rate
from pneumo.imaging.phantom import phantom
from tests.unit.commands.shell import run

ROOT = Path(__file__).resolve().parents[3]


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
    names = ("bare", "training", "on the same films", "without evidence", "in a lung epoch")
    times = [float(re.search(rf"^{name} +([\d.]+) ms", shown, re.M)[1]) for name in names]
    assert min(times) > 0 and "1 x 4 steps" in shown  # whole groups
    ratios = re.findall(r"ratio ([\d.]+) \(([\d.]+) to ([\d.]+)\)", shown)
    assert len(ratios) == len(names) - 1
    assert all(0 < float(low) <= float(middle) <= float(high) for middle, low, high in ratios)


def test_a_ratio_is_the_bare_steps_time_by_the_others(monkeypatch):
    seconds = {"training": 0.5, "without_evidence": 0.4, "lungs": 1.0, "same_films": 0.25}
    kinds, clock = iter(seconds.values()), itertools.count(1)

    def timed(*words):
        value = next(kinds)
        return SimpleNamespace(epoch=lambda: value, trainer=None)

    monkeypatch.setattr(step_rate, "_Timed", timed)
    monkeypatch.setattr(step_rate, "_Bare", lambda *words: SimpleNamespace(
        steps=lambda count: next(clock) / 10, batch=None, device=torch.device("cpu")))
    found, device = step_rate.step_rates("cnn", lambda count: None, 4, 2, 64, 4)
    assert device == "cpu" and found["bare"].ratios == ()
    # Bare steps take 0.2 seconds, after those that warm up, then 0.3, 0.4, ...
    assert found["training"].milliseconds == 500
    assert found["training"].ratios == pytest.approx((0.25 / 0.5, 0.65 / 0.5))
    assert found["same_films"].ratios == pytest.approx((0.55 / 0.25, 0.95 / 0.25))
    assert found["lungs"].ratio == pytest.approx((0.45 + 0.85) / 2)
    with pytest.raises(ValueError, match="counted by"):
        step_rate.step_rates("cnn", lambda count: None, 5, 2, 64, 4)


def test_training_without_films_is_a_sentence(tmp_path, capsys):
    assert run("benchmark", "training", "--data", tmp_path) == 1
    assert "data download" in capsys.readouterr().err
