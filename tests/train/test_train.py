"""Training from the command line: a checkpoint's weights, resuming, and several processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file

from pneumo.cli import main
from pneumo.data.memory import Images
from pneumo.models.checkpoint import load_checkpoint
from pneumo.models.networks import build
from pneumo.models.preprocess import Preprocessing
from pneumo.reading.decision import PRESETS
from pneumo.training.recipe import load_recipe
from pneumo.training.trainer import Trainer
from tests.served import ROOT

SHORT = {
    "size": "64", "epochs": "2", "batch": "8", "folds": "4", "teacher": "''",
    "teacher_weight": "0", "ema": "0.8",
}  # fmt: skip
# Images are left nearly as they are, so that whatever the seed a few steps learn something.
EASY = {
    **SHORT, "epochs": "3", "crop": "0.9", "wide_p": "0", "adult_p": "0", "composite_p": "0",
    "opacity_p": "0", "lung_mask_p": "0", "background_swap_p": "0",
}  # fmt: skip


def run(
    data: Path, folder: Path, *words: str, processes: int = 1, threads: int = 1
) -> subprocess.CompletedProcess:
    start = [sys.executable]
    if processes > 1:
        start += f"-m torch.distributed.run --standalone --nproc-per-node={processes} --".split()
    settings = [word for pair in EASY.items() for word in ("--set", "=".join(pair))]
    command = [*start, "train.py", "--model", "cnn", "--data", str(data), "--run", str(folder)]
    command += ["--out", str(folder / "out")]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    return subprocess.run(
        [*command, *settings, *words], cwd=ROOT, capture_output=True, text=True, env=environment
    )


@pytest.fixture(scope="module")
def finished(drawn_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    done = run(drawn_dataset, folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_run_leaves_weights_log_facts_and_a_checkpoint(finished):
    facts = json.loads((finished / "run.json").read_text())
    assert [entry["epoch"] for entry in facts["history"]] == [1, 2, 3]
    assert facts["recipe"]["size"] == 64
    assert (
        facts["data"]["training"]["radiographs"] + facts["data"]["validation"]["radiographs"] == 60
    )
    build("cnn").load_state_dict(load_file(finished / "weights.safetensors"))
    checkpoint = load_checkpoint("cnn", finished / "out")
    assert checkpoint.card.training.recipe["epochs"] == 3
    assert set(checkpoint.card.policies) == set(PRESETS)
    assert "epoch 3/3" in (finished / "train.log").read_text()


def test_another_number_of_threads_gives_the_same_weights(drawn_dataset, finished, tmp_path):
    done = run(drawn_dataset, tmp_path, threads=2)
    assert done.returncode == 0, done.stderr
    one, two = (load_file(folder / "weights.safetensors") for folder in (finished, tmp_path))
    assert all(torch.equal(value, two[name]) for name, value in one.items())


@pytest.mark.slow
def test_two_processes_reach_the_auc_of_one(drawn_dataset, finished, tmp_path):
    done = run(drawn_dataset, tmp_path, processes=2)
    assert done.returncode == 0, done.stderr
    one, two = (json.loads((folder / "run.json").read_text()) for folder in (finished, tmp_path))
    assert (one["processes"], two["processes"]) == (1, 2)
    auc = one["history"][-1]["validation_auc"]
    # 15 validation images: the spread of seeds.
    assert two["history"][-1]["validation_auc"] == pytest.approx(auc, abs=0.2)


def test_a_missing_dataset_ends_in_a_sentence(tmp_path, capsys):
    assert main(["train", "--model", "cnn", "--data", str(tmp_path / "nothing")]) == 1
    assert "no folder" in capsys.readouterr().err


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(24) % 2
    squares = rng.integers(0, 200, (24, 64, 64), dtype=np.uint8) + (labels * 50)[:, None, None]
    lungs = np.zeros((24, 64, 64), np.uint8)
    lungs[:, 10:50, 8:28] = lungs[:, 10:50, 36:56] = 255
    images = Images(squares.astype(np.uint8), labels, lungs)
    recipe = load_recipe("cnn", SHORT)

    def trainer(stop_at: int = 0) -> Trainer:
        def progress(done: int, total: int, loss: float) -> None:
            if done == stop_at:
                raise KeyboardInterrupt

        torch.manual_seed(recipe.seed)
        network = build("cnn")
        state = tmp_path / ("stopped.pt" if stop_at else "whole.pt")
        return Trainer(
            network, recipe, (), images, images, Preprocessing(64), state, lambda line: None,
            progress, Accelerator(), workers=0,
        )  # fmt: skip

    whole = trainer().run().state_dict()
    with pytest.raises(KeyboardInterrupt):
        trainer(stop_at=5).run()
    resumed = trainer()
    resumed.state = tmp_path / "stopped.pt"
    resumed.resume()
    assert resumed.epoch == 1
    for name, value in resumed.run().state_dict().items():
        assert torch.equal(value, whole[name]), name
