"""Several processes under torchrun: they learn what one learns, and none waits for a dead one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from pneumo.evaluation.curves import read_curves
from pneumo.models.checkpoint import load
from pneumo.training.processes import Processes
from tests.train import several

ROOT = Path(__file__).resolve().parents[2]
# After -- nothing is torchrun's: it would take --run for an abbreviation of its own --run-path.
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
            "--"]
SHORT = ["--model", "cnn", "--folds", "4", "--batch", "16", "--low-size", "32", "--size", "64",
         "--low-epochs", "1", "--epochs", "2", "--lung-epochs", "0", "--evidence", "0"]


def torchrun(*words: object, cwd: Path) -> subprocess.Popen:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*TORCHRUN, *map(str, words)], env=env, cwd=cwd, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )


def finished(run: subprocess.Popen) -> tuple[int, str, str]:
    """Exit code, stdout, stderr; a run that hangs is ended and fails the test."""
    try:
        out, err = run.communicate(timeout=400)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        pytest.fail("the processes hang: " + run.communicate()[1][-2000:])
    return run.returncode, out, err


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> dict:
    """What one process finds, and the state of half its run."""
    folder = tmp_path_factory.mktemp("alone")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    steps = {"step": several.one_step(Processes()),
             "coarse step": several.one_step(Processes(), "bf16")}
    run = several.two_epochs(Processes(), folder / "state.pt")
    half = several.trainer(Processes(), 41, folder / "half" / "state.pt", epochs=1, lung_epochs=1,
                           batch=10)
    half.run(stop_after=1)
    torch.set_num_threads(threads)
    return {**steps, "history": run.history, "folder": folder}


@pytest.fixture(scope="module")
def two(alone) -> dict:
    """What each of two processes finds; the second half of `half` is theirs."""
    folder = alone["folder"]
    code, _, err = finished(torchrun(several.__file__, "everything", folder, cwd=folder))
    assert code == 0, err[-3000:]
    return {rank: torch.load(folder / f"{rank}.pt", weights_only=True) for rank in (0, 1)}


@pytest.mark.parametrize(("step", "most"), [("step", 1e-4), ("coarse step", 0.25)])
def test_a_step_of_two_processes_is_the_step_of_one(alone, two, step, most):
    # Shares of 8 and 7 films, other numbers of lung fields in each, dropout, batch normalisation.
    # In bfloat16, whose numbers have three digits, gradients differ by rounding.
    for rank in (0, 1):
        for name, expected in alone[step].items():
            found = two[rank][step][name]
            gap = (found - expected).norm() / expected.norm().clamp(min=1e-6)
            assert gap < most, (rank, name, float(gap))


def test_two_processes_get_the_metrics_of_one(alone, two):
    for name in ("whole", "half"):  # trained from the start; resumed from one process's state
        for one, shared in zip(alone["history"], two[0][name]["history"], strict=True):
            assert shared["loss"] == pytest.approx(one["loss"], rel=5e-3)
            assert shared["evidence_misplaced"] == pytest.approx(
                one["evidence_misplaced"], rel=5e-3)
            for key in ("validation_auc", "validation_auc_degraded"):
                assert shared[key] == pytest.approx(one[key], abs=1 / 64 + 1e-9)


def test_all_processes_hold_the_same_averaged_weights(two):
    for name in ("whole", "half"):
        assert two[0][name]["average"] == two[1][name]["average"]
        same = [{k: v for k, v in entry.items() if k != "seconds"}
                for rank in (0, 1) for entry in two[rank][name]["history"]]
        assert same[:2] == same[2:]


def test_one_process_alone_writes_the_curves(alone, two):
    steps = [row["step"] for row in read_curves(alone["folder"] / "whole" / "curves.csv")]
    assert steps == [4, 4, 8, 8]  # for each epoch a row of steps and one of the epoch


def test_shares_cover_every_place_once():
    for films in (2, 5, 31, 32):
        for count in (1, 2, 3, 5):
            shares = [Processes(rank, count).share(films) for rank in range(count)]
            assert np.concatenate(shares).tolist() == list(range(films))
            assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_steps_too_small_to_share_are_a_sentence():
    with pytest.raises(ValueError, match="Raise --batch or start fewer"):
        several.trainer(Processes(0, 12), 20, epochs=1, batch=10)


def test_train_writes_one_checkpoint(drawn_dataset, tmp_path):
    words = [*SHORT, "--data", drawn_dataset, "--out", tmp_path / "out", "--run", tmp_path / "run"]
    code, out, err = finished(torchrun(ROOT / "train.py", *words, cwd=tmp_path))
    assert code == 0, err[-3000:]
    assert out.count("epoch 2/2") == 1 and err.count("| 0/") <= 3  # one voice, one bar
    card = load("cnn", tmp_path / "out").card
    assert card["training"]["processes"] == 2 and len(card["training"]["history"]) == 2


@pytest.mark.parametrize("all_fail", [True, False])
def test_what_cannot_be_done_is_said_once_and_ends_all(all_fail, drawn_dataset, tmp_path):
    words = [*SHORT, "--out", tmp_path, "--run", tmp_path / "run", "--data"]
    run = (torchrun(ROOT / "train.py", *words, "nowhere", cwd=tmp_path) if all_fail else
           torchrun(several.__file__, "fails", *words, drawn_dataset, cwd=tmp_path))
    code, _, err = finished(run)
    sentence = "data download" if all_fail else "second process cannot be read"
    assert code == 1 and err.count(sentence) == 1
    assert "Traceback" not in err.split(sentence)[0]


@pytest.mark.slow
def test_ctrl_c_ends_all(drawn_dataset, tmp_path):
    words = [*SHORT, "--epochs", "500", "--data", drawn_dataset, "--out", tmp_path / "out",
             "--run", tmp_path / "run"]
    run = torchrun(ROOT / "train.py", *words, cwd=tmp_path)
    deadline = time.monotonic() + 300
    while not (tmp_path / "run" / "state.pt").is_file() and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(run.pid, signal.SIGINT)
    code, _, err = finished(run)
    assert code != 0 and err.count("Add --resume") <= 1
    with pytest.raises(ProcessLookupError):
        os.killpg(run.pid, 0)
