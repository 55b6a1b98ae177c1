"""Figures: what they show is what was measured, and the same numbers give the same bytes."""

from __future__ import annotations

import copy
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_score

from pneumo.evaluation.thresholds import curve
from pneumo.reporting import figures
from pneumo.reporting.figure_numbers import histograms, precision_recall
from pneumo.reporting.figures import FIGURES, draw
from pneumo.reporting.model_card import cards
from tests.unit.reporting.whole_card import made_up_scores, whole_card

DRAWN = Path(__file__).resolve().parents[3] / "docs" / "figures"


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 400))
def test_histograms_are_those_of_the_scores(seed, n):
    labels, probabilities = made_up_scores(seed, n)
    labels[:2] = 0, 1
    found = histograms(curve(labels, probabilities), n, int(labels.sum()))
    # Thresholds are rounded; numpy must be asked with the same ones.
    edges = np.round(np.linspace(0, 1, 51), 2)
    for label, name in enumerate(("NORMAL", "PNEUMONIA")):
        assert found[name] == np.histogram(probabilities[labels == label], edges)[0].tolist()
    assert found["edges"] == edges.tolist()


def test_histograms_refuse_a_curve_that_has_no_such_bins():
    labels, probabilities = made_up_scores(1)
    with pytest.raises(ValueError, match="7 equal bins"):
        histograms(curve(labels, probabilities), len(labels), int(labels.sum()), bins=7)


def test_precision_is_that_of_the_calls():
    labels, probabilities = made_up_scores(3)
    known = curve(labels, probabilities)
    recall, precision = precision_recall(known, len(labels), int(labels.sum()))
    assert (np.diff(recall) <= 0).all() and recall[0] == 1
    at = known["threshold"].index(0.4)
    assert precision[at] == pytest.approx(precision_score(labels, probabilities >= 0.4), abs=1e-3)


@pytest.fixture(scope="module")
def both() -> list[dict]:
    return [whole_card("cnn", "Custom CNN", 1), whole_card("resnet18", "ResNet-18", 2)]


def test_same_numbers_give_the_same_bytes_and_others_do_not(both, tmp_path, monkeypatch):
    few = {stem: FIGURES[stem] for stem in ("confusion", "training")}
    monkeypatch.setattr(figures, "FIGURES", few)
    files = draw(both, tmp_path / "a")
    assert [file.stem for file in files] == list(few)
    changed = copy.deepcopy(both)
    changed[0]["metrics"]["test"]["confusion"]["false_negative"] += 1
    draw(changed, tmp_path / "b")
    for file in files:
        ElementTree.parse(file)
        assert b"<dc:date>" not in file.read_bytes()
        same = file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
        assert same == (file.stem != "confusion"), file.name


def test_figures_without_numbers_are_left_out_and_old_ones_removed(both, tmp_path):
    bare = copy.deepcopy(both)
    for card in bare:
        card["metrics"] = {"validation": {}}
        card["training"].pop("history")
    (tmp_path / "roc.svg").write_text("of replaced weights")
    assert draw(bare, tmp_path) == [] and list(tmp_path.iterdir()) == []


def test_committed_figures_are_those_of_the_cards(tmp_path):
    drawn = {file.name: file.read_bytes() for file in draw(cards(), tmp_path)}
    committed = {file.name: file.read_bytes() for file in DRAWN.glob("*.svg")}
    stale = sorted(n for n in drawn | committed if drawn.get(n) != committed.get(n))
    assert not stale, "run: python -m pneumo evaluate --figures"
