"""train.py: from a folder to a checkpoint that reads, and what it says when it cannot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

import train
from pneumo.data.adults import adult_table
from pneumo.models.checkpoint import BUNDLED, available_models, load, read_card
from pneumo.reading.reader import Reader
from pneumo.reporting.model_card import network_part
from pneumo.training.recipe import Recipe
from pneumo.training.run import command_line
from pneumo.training.state import with_defaults

ROOT = Path(__file__).resolve().parents[2]
SHORT = ["--model", "cnn", "--folds", "4", "--batch", "16", "--low-size", "64", "--size", "96",
         "--low-epochs", "1", "--epochs", "2"]


def test_a_short_run_writes_a_checkpoint_that_reads(drawn_dataset, tmp_path, film_png, capsys):
    words = [*SHORT, "--data", str(drawn_dataset), "--out", str(tmp_path / "out"),
             "--run", str(tmp_path / "run"), "--score-test"]
    assert train.main(words) == 0
    checkpoint = load("cnn", tmp_path / "out")
    assert Reader(checkpoint).read(film_png).ok
    card = checkpoint.card
    assert card["metrics"]["test"]["n"] == 12 and card["metrics"]["test_times_scored"] == 1
    assert {"value", "low", "high"} <= set(card["metrics"]["test"]["auc"])
    assert card["metrics"]["test_by_series"] == {}  # the drawn films are of one series
    assert card["data"]["training"]["films"] + card["data"]["validation"]["films"] == 60
    training = card["training"]
    assert training["recipe"]["seed"] == 0 and len(training["history"]) == 2
    assert len(card["data"]["fingerprint"]) == 64 and training["versions"]["torch"]
    assert str(tmp_path) not in json.dumps(card)  # no path of anybody's machine
    log = (tmp_path / "run" / "train.log").read_text()
    assert "epoch 2/2" in log and "Official test, 12 films" in log
    assert "Without evidence in the lungs, lung epochs, hidden lungs in the fine-tuning, " \
        "exchanged surroundings in the fine-tuning, adults in the fine-tuning, " \
        "adults in the lung epochs, a teacher in the fine-tuning, a teacher, which the released " \
        "recipe has." in log
    (scoring,) = card["test_scorings"]
    assert scoring["weights"] == checkpoint.weights_sha256
    assert scoring["auc"] == card["metrics"]["test"]["auc"]["value"]
    assert [one["after_epoch"] for one in training["sittings"]] == [0]
    assert "validation AUC" in capsys.readouterr().err  # the bar


def test_lung_epochs_with_adults_and_teachers(
    drawn_dataset, adults, stand_ins, tmp_path, film_png, capsys
):
    lungs = np.zeros((96, 96), np.uint8)
    lungs[24:76, 12:42] = lungs[24:76, 54:84] = 255
    for film in (drawn_dataset / "train").glob("*/*"):
        path = tmp_path / "lungs" / film.parent.name / f"{film.stem}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), lungs)
    teachers = ["resnet18", "cnn"]
    words = [*SHORT, "--epochs", "1", "--low-epochs", "0", "--lung-epochs", "1",
             "--data", str(drawn_dataset), "--lungs", str(tmp_path / "lungs"),
             "--adults-data", str(adults), "--adults", "0.25", "--early-adults", "0.2",
             "--early-hidden", "0.1", "--precision", "bf16",
             "--teacher", *(str(stand_ins / f"{name}.json") for name in teachers),
             "--distil", "0.5", "--early-distil", "0.7",
             "--out", str(tmp_path), "--run", str(tmp_path / "run")]
    assert train.main(words) == 0
    checkpoint = load("cnn", tmp_path)
    assert Reader(checkpoint).read(film_png).ok
    card = checkpoint.card
    assert (card["data"]["adults"]["films"], card["data"]["adults"]["patients"]) == (20, 10)
    assert card["training"]["teachers"] == [
        {"name": name, "seed": None, "sha256": load(name, stand_ins).weights_sha256}
        for name in teachers]
    text = network_part(card)
    assert f"lung masks `{card['data']['lung_masks'][:16]}`" in text
    assert "25 %, and in the fine-tuning before them, 20 % of the films are of adults (20 " \
        "films of 10 patients" in text
    assert "in the fine-tuning before them already, lungs painted over with chance "\
        "0.1, surroundings replaced with chance 0.15;" in text
    assert "in the fine-tuning and the lung epochs, on" in text
    assert "on cpu, convolutions in bfloat16." in text
    assert "in the lung epochs, 0.5, and in the fine-tuning before them, 0.7 of the target is " \
        "the mean answer of 2 networks (resnet18 and cnn), whose weights have sha256" in text
    assert adult_table("cnn", adults, tmp_path)["rows"][0]["n"] == 20  # the other half
    assert str(tmp_path) not in json.dumps(card)


@pytest.mark.parametrize("name", available_models(BUNDLED))
def test_the_defaults_are_the_recipe_of_the_bundled_weights(name):
    recorded = with_defaults(read_card(name, BUNDLED)["training"]["recipe"])
    assert Recipe.released(name, seed=recorded["seed"]).record() == recorded


@pytest.mark.parametrize(("flag", "said"), [("--adults", "--adults-data DIR"),
                                            ("--early-adults", "--adults-data DIR"),
                                            ("--distil", "--teacher CARD"),
                                            ("--early-distil", "--teacher CARD"),
                                            ("--before-lungs", "a share from 0 to 1"),
                                            ("--precision", "auto, bf16, fp32")])
def test_what_a_recipe_needs_is_asked_for_before_anything_starts(flag, said, tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        train.main([*SHORT, "--lungs", str(tmp_path), flag, "2"])
    assert left.value.code == 2 and said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "processes", "kept"),
    [
        (["--data", "/home/a/data/", "--seed", "1", "--resume"], None,
         "python train.py --data data --seed 1"),
        (["--data=/home/a/my data", "--learning-rate=1e-3"], "1",
         "python train.py '--data=my data' --learning-rate=1e-3"),
        (["--teacher", "/home/a/runs/11/resnet18.json", "12/resnet18.json", "cnn.json"], None,
         "python train.py --teacher 11/resnet18.json 12/resnet18.json cnn.json"),
        (["--run", "runs/x"], "2",
         "torchrun --standalone --nproc-per-node 2 -- train.py --run x"),
    ],
)
def test_the_card_keeps_a_command_that_names_no_folder_of_this_machine(
    words, processes, kept, monkeypatch
):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    if processes:
        monkeypatch.setenv("WORLD_SIZE", processes)
    assert command_line(["/x/train.py", *words]) == kept


def test_killed_and_resumed_ends_with_the_same_weights(drawn_dataset, tmp_path):
    def command(name: str, *more: str) -> list[str]:
        return [sys.executable, str(ROOT / "train.py"), *SHORT, "--data", str(drawn_dataset),
                "--out", str(tmp_path / name), "--run", str(tmp_path / f"run-{name}"),
                "--threads", "1", *more]

    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command("whole"), env=env, check=True, capture_output=True, cwd=tmp_path)
    killed = subprocess.Popen(command("cut"), env=env, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, cwd=tmp_path)
    state = tmp_path / "run-cut" / "state.pt"
    deadline = time.monotonic() + 200
    while not state.is_file() and time.monotonic() < deadline:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert state.is_file()
    again = command("cut", "--resume")
    subprocess.run(again, env=env, check=True, capture_output=True, cwd=tmp_path)
    whole, cut = (load("cnn", tmp_path / name) for name in ("whole", "cut"))
    assert whole.weights_sha256 == cut.weights_sha256
    assert whole.card["training"]["command"].replace("whole", "cut") == (
        cut.card["training"]["command"]
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--data", "nowhere"], "data download"),
        (["--data", "{drawn}", "--resume"], "nothing to resume"),
        (["--data", "{drawn}", "--init", "imagenet"], "no ImageNet weights"),
        (["--data", "{drawn}", "--folds", "999"], "at least 999 patients"),
        (["--data", "{drawn}", "--lungs", "nowhere"], "no lung mask"),
    ],
)
def test_what_cannot_be_done_is_said(words, sentence, drawn_dataset, tmp_path, capsys):
    filled = [word.replace("{drawn}", str(drawn_dataset)) for word in words]
    out = ["--out", str(tmp_path), "--run", str(tmp_path / "run")]
    assert train.main([*SHORT, *filled, *out]) == 1
    assert sentence in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(drawn_dataset, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(train, "train", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt))
    assert train.main([*SHORT, "--data", str(drawn_dataset)]) == 1
    assert "--resume" in capsys.readouterr().err
