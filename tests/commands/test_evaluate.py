"""python -m pneumo evaluate: the numbers are those of the readings."""

from __future__ import annotations

import json
import shutil

import pytest
from sklearn.metrics import roc_auc_score

from pneumo.models.checkpoint import load
from pneumo.models.reader import Reader
from pneumo.training import evaluation
from pneumo.training.dataset import films, labels
from tests.commands.shell import run


@pytest.fixture
def root(drawn_dataset, tmp_path, monkeypatch, stand_ins):
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))
    monkeypatch.setattr(evaluation.score, "__defaults__", (100, 0))  # fewer bootstrap samples
    shutil.copytree(drawn_dataset / "test", tmp_path / "test")
    first = sorted((tmp_path / "test" / "PNEUMONIA").iterdir())[0]
    shutil.copy(first, first.with_name("person99_virus_1.jpeg"))  # a redundant copy
    return tmp_path


def test_scores_are_those_of_the_readings(root, tmp_path, capsys, stand_ins):
    out = tmp_path / "scores.json"
    assert run("evaluate", root, "--model", "cnn", "--json", out) == 0
    result = json.loads(out.read_text())[0]
    table = films(root, "test")
    p = [Reader(load("cnn", stand_ins)).read(f.path).probability for f in table]
    assert result["all"]["auc"]["value"] == pytest.approx(roc_auc_score(labels(table), p))
    assert (result["all"]["n"], result["distinct"]["n"]) == (13, 12)
    kinds = result["sensitivity_by_kind"]
    assert sum(kind["n"] for kind in kinds.values()) == 7
    shown = capsys.readouterr().out
    for name in ("accuracy", "sensitivity", "specificity", "auc", "brier", "ece", "false_negative"):
        assert name in shown


def test_every_network_and_unread_films(root, capsys):
    (root / "test" / "NORMAL" / "bad.jpeg").write_bytes(b"x")
    assert run("evaluate", root) == 1
    shown = capsys.readouterr().out
    assert "cnn on test" in shown and "resnet18 on test" in shown and "bad.jpeg" in shown


def test_missing_split_is_a_sentence(root, capsys):
    assert run("evaluate", root, "--split", "holdout") == 1
    assert "data download" in capsys.readouterr().err


def test_bundled_scores_are_reproduced(data_root, capsys):
    """The committed cards' test metrics are those of the committed weights (first 60 films)."""
    from pneumo.models.checkpoint import available_models, read_card

    for name in available_models():
        if "test" in read_card(name)["metrics"]:
            reader = Reader(name)
            table = films(data_root, "test")[::10]
            right = [(reader.read(f.path).probability >= reader.threshold) == f.label
                     for f in table]
            card = read_card(name)["metrics"]["test"]
            # 63 of 624 films: the sampling error of an accuracy of 0.95 is 0.027.
            assert abs(sum(right) / len(right) - card["accuracy"]["value"]) < 0.09
