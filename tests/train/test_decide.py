"""python -m pneumo decide: thresholds anew for weights that stay, on films that are new to them."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest

import train
from pneumo.models.checkpoint import load, read_card, write_card
from pneumo.reporting.model_card import network_part
from tests.unit.commands.shell import run

DECIDED = ("calibration", "calibration_check", "operating_points", "uncertain", "curve", "heat")


@pytest.fixture(scope="module")
def trained(drawn_dataset, tmp_path_factory):
    """A folder with a network trained for a moment."""
    folder = tmp_path_factory.mktemp("trained")
    words = ["--model", "cnn", "--data", str(drawn_dataset), "--epochs", "1", "--size", "64",
             "--folds", "5", "--threads", "1", "--out", str(folder), "--run", str(folder / "run")]
    assert train.main(words) == 0
    return folder


def test_it_decides_as_training_did_and_takes_out_what_no_longer_holds(
    trained, drawn_dataset, tmp_path, capsys
):
    folder = tmp_path / "checkpoints"
    shutil.copytree(trained, folder)
    before = read_card("cnn", folder)
    spoiled = json.loads(json.dumps(before))
    spoiled["operating_points"]["balanced"]["threshold"] = 0.987
    spoiled["metrics"]["corruptions"] = []
    write_card(spoiled, folder / "cnn.json")
    assert run("decide", "--data", drawn_dataset, "--checkpoints", folder) == 0
    after = load("cnn", folder).card
    assert {key: after[key] for key in DECIDED} == {key: before[key] for key in DECIDED}
    assert after["metrics"] == before["metrics"] and after["weights"] == before["weights"]
    said = capsys.readouterr().out
    assert "taken out of the card: corruptions." in said and "UNCERTAIN from" in said
    assert set(after["decided"]) == {"date", "commit"}
    assert "fixed anew on" in network_part({**after, "seeds": None})


def test_evidence_is_measured_again_or_nothing_is_decided(trained, drawn_dataset, tmp_path, capsys):
    folder = tmp_path / "checkpoints"
    shutil.copytree(trained, folder)
    before = (folder / "cnn.json").read_bytes()
    masks = tmp_path / "lungs"
    masks.mkdir()
    words = ("decide", "--data", drawn_dataset, "--checkpoints", folder, "--lungs", masks)
    assert run(*words) == 1 and "holds no lung mask" in capsys.readouterr().err
    assert json.loads((folder / "cnn.json").read_bytes()) == json.loads(before)
    lungs = np.zeros((96, 96), np.uint8)
    lungs[24:76, 12:42] = lungs[24:76, 54:84] = 255
    for film in (drawn_dataset / "train").glob("*/*"):
        path = masks / film.parent.name / f"{film.stem}.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), lungs)
    assert run(*words, "--score-test", drawn_dataset) == 0
    metrics = read_card("cnn", folder)["metrics"]
    assert metrics["lungs"]["n"] == read_card("cnn", folder)["data"]["validation"]["films"]
    assert metrics["test"]["n"] == 12 and metrics["test_times_scored"] == 1
    assert "Official test, 12 films" in capsys.readouterr().out


def test_films_it_may_have_been_trained_on_decide_nothing(trained, drawn_dataset, tmp_path, capsys):
    other = tmp_path / "other"
    shutil.copytree(drawn_dataset, other)
    path = next((other / "train" / "NORMAL").iterdir())
    cv2.imwrite(str(path), cv2.imread(str(path)) // 2)
    before = (trained / "cnn.json").read_bytes()
    assert run("decide", "--data", other, "--checkpoints", trained) == 1
    assert "are not those that cnn was trained on" in capsys.readouterr().err
    assert (trained / "cnn.json").read_bytes() == before
