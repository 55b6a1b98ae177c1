"""pneumo evaluate: the numbers are those of the readings."""

import json
import shutil
from collections import Counter

import pytest
from sklearn.metrics import roc_auc_score

from pneumo.data.dataset import labels, samples
from pneumo.evaluation import metrics
from pneumo.models.checkpoint import load_checkpoint
from pneumo.reading.reader import Reader
from tests.unit.commands.shell import run


@pytest.fixture
def root(drawn_dataset, tmp_path, monkeypatch, stand_ins):
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))
    monkeypatch.setattr(metrics, "RESAMPLES", 20)  # values alone count here
    shutil.copytree(drawn_dataset / "test", tmp_path / "test")
    first = sorted((tmp_path / "test" / "PNEUMONIA").iterdir())[0]
    shutil.copy(first, first.with_name("person99_virus_1.jpeg"))  # a redundant copy
    return tmp_path


def test_scores_are_those_of_the_readings(root, tmp_path, capsys, stand_ins):
    out = tmp_path / "scores.json"
    assert run("evaluate", root, "--model", "cnn", "--json", out) == 0
    result = json.loads(out.read_text())["cnn"]
    table, reader = samples(root, "test"), Reader(load_checkpoint("cnn", stand_ins))
    readings = [reader.examine(f.path, input_check=False)[1] for f in table]
    split = result["split"]
    p = [one.balanced for one in readings]
    assert split["scores"]["auc"]["value"] == pytest.approx(roc_auc_score(labels(table), p))
    assert (split["scores"]["n"], split["distinct"]["n"]) == (13, 12)
    assert sum(kind["n"] for kind in split["sensitivity_by_kind"].values()) == 7
    seen = Counter((sample.label, one.label) for sample, one in zip(table, readings, strict=True))
    counted = result["policies"]["balanced"]["labels"]
    for label, truth in enumerate(("NORMAL", "PNEUMONIA")):
        assert counted[truth] == {name: seen[label, name] for name in counted[truth]}
    shown = capsys.readouterr().out
    for name in ("accuracy", "specificity", "AUC", "calibration error", "indeterminate"):
        assert name in shown


def test_every_network_and_unread_files(root, capsys):
    (root / "test" / "NORMAL" / "bad.jpeg").write_bytes(b"x")
    assert run("evaluate", root / "test") == 1  # which may hold the classes itself
    shown = capsys.readouterr().out
    assert "Custom CNN" in shown and "ResNet-18" in shown and "bad.jpeg" in shown


def test_adults_are_evaluated_by_view(root, adults, capsys):
    assert run("evaluate", "adults", adults, "--model", "cnn") == 0
    shown = capsys.readouterr().out
    assert "PA" in shown and "AP" in shown and "text-mined" in shown
