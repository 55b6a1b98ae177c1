"""pneumo release, from two seeds of a run to a rendered model card, and again where it stopped."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

from pneumo.data import dataset
from pneumo.evaluation import metrics, robustness
from pneumo.models.card import read_card
from pneumo.models.checkpoint import load_checkpoint
from tests.unit.commands.shell import run


@pytest.fixture
def runs(stand_ins, drawn_dataset, tmp_path):
    """RUN folders of two seeds of the stand-in CNN."""
    table = dataset.samples(drawn_dataset, "train")
    parts = dataset.validation_split(table, 0, 4, 0)
    folders = []
    for seed in (0, 1):
        folder = tmp_path / f"run{seed}"
        folder.mkdir()
        network = load_checkpoint("cnn", stand_ins).network
        with torch.no_grad():
            network.classifier.bias += seed
        save_file(network.state_dict(), folder / "weights.safetensors")
        entry = {"epoch": 1, "loss": 0.5, "validation_auc": 0.9, "validation_auc_degraded": 0.8,
                 "seconds": 1.0}  # fmt: skip
        facts = {
            "recipe": {"model": "cnn", "size": 128, "folds": 4, "fold": 0, "seed": seed},
            "start": "All weights start from random numbers.",
            "teacher": None,
            "data": {
                "fingerprint": dataset.fingerprint(table),
                "training": dataset.facts(parts[0]),
                "validation": dataset.facts(parts[1]),
            },
            "command": "python train.py --model cnn",
            "commit": "",
            "versions": {},
            "device": "cpu",
            "processes": 1,
            "seconds": 1,
            "finished": "2026-11-27",
            "history": [entry],
        }
        (folder / "run.json").write_text(json.dumps(facts))
        folders.append(folder)
    return folders


def test_two_seeds_become_a_rendered_checkpoint(
    runs, drawn_dataset, adults, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(metrics, "RESAMPLES", 20)
    few = {name: robustness.CORRUPTIONS[name] for name in ("none", "gamma 0.7")}
    monkeypatch.setattr(robustness, "CORRUPTIONS", few)
    out = tmp_path / "out"
    words = ("release", *runs, "--data", drawn_dataset, "--adults", adults, "--out", out)
    assert run(*words) == 0
    card = read_card("cnn", out)
    assert load_checkpoint("cnn", out).card == card
    assert [seed.seed for seed in card.training.seeds] == [0, 1]
    assert "composites_share" in card.evidence.localization
    assert len(card.metrics.corruptions) == 2 and card.metrics.shortcut.n == 15
    assert [row.group for row in card.metrics.external] == ["all", "PA", "AP"]
    assert card.metrics.test is None
    assert "not been scored" in (out / "MODEL_CARD.md").read_text()
    assert (out / "figures" / "training.svg").is_file()
    first = capsys.readouterr().out
    assert "localization" in first and "robustness" in first

    assert run(*words, "--score-test") == 0
    again = capsys.readouterr().out
    assert "robustness" not in again, "what was measured is not measured again"
    scored = read_card("cnn", out)
    assert scored.metrics.test.scores.n == 12
    assert (out / "figures" / "roc.svg").is_file()
    assert run(*words, "--score-test") == 1
    assert "scored" in capsys.readouterr().err
    assert read_card("cnn", out) == scored
