"""What every process of a shared run does in test_processes.py, which starts it by torchrun."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
import torch

import train
from pneumo.data.dataset import DataError
from pneumo.data.memory import Films
from pneumo.models.preprocess import Preprocessing
from pneumo.training import run as session
from pneumo.training.initial import start
from pneumo.training.processes import Processes, join
from pneumo.training.recipe import Recipe
from pneumo.training.trainer import Trainer

SIZE = 32


def squares(count: int, seed: int) -> Films:
    """Noise with a bright lung where there is pneumonia; two films of three have a lung field."""
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 2
    x = rng.integers(0, 120, (count, SIZE, SIZE)).astype(np.uint8)
    x[y == 1, 10:20, 4:12] += 90
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[5:25, 4:28] = 255
    return Films(x, y, {i: mask for i in range(count) if i % 3})


def trainer(
    processes: Processes, count: int, state: Path | None = None, **values
) -> Trainer:
    """A small CNN's trainer; dropout and batch normalisation as ever. In float32: in bfloat16
    rounding alone parts one process from two."""
    spec = Recipe("cnn", **{"size": SIZE, "low_epochs": 0, "unfreeze": "all", "evidence": 1.0,
                            "precision": "fp32", "halves": 0.3,
                            "learning_rate": 3e-4, "lung_learning_rate": 1e-4, **values})
    network, initial = processes.from_first(lambda: start("cnn", "scratch", spec.seed))
    return Trainer(network, spec, initial.fresh_modules, squares(count, 0), squares(16, 1),
                   Preprocessing(SIZE), state, log=lambda line: None, processes=processes)


def one_step(processes: Processes, precision: str = "fp32", **values) -> dict[str, torch.Tensor]:
    """Gradients and running statistics after one step of 15 films: shares of 8 and 7."""
    run = trainer(processes, 15, epochs=0, lung_epochs=1, batch=15, precision=precision,
                  **values)
    run.run()
    return {
        **{f"gradient of {name}": p.grad for name, p in run.network.named_parameters()},
        **{name: b for name, b in run.network.named_buffers() if "running" in name},
        "report": torch.tensor([run.history[0]["loss"], run.history[0]["evidence_misplaced"] or 0]),
    }


def two_epochs(processes: Processes, state: Path, resume: bool = False) -> Trainer:
    """An epoch as usual and one of the lungs, or the second of them."""
    run = trainer(processes, 41, state, epochs=1, lung_epochs=1, batch=10)
    if resume:
        run.resume()
    run.run()
    return run


def digest(network: torch.nn.Module) -> str:
    """Of all parameters and buffers."""
    found = hashlib.sha256()
    for value in network.state_dict().values():
        found.update(value.contiguous().numpy().tobytes())
    return found.hexdigest()


def everything(folder: Path) -> None:
    """Write what this process found to RANK.pt; `half` holds one process's state of one epoch."""
    torch.set_num_threads(1)
    processes = join()
    found = {"step": one_step(processes), "coarse step": one_step(processes, "bf16")}
    for name, resume in (("whole", False), ("half", True)):
        run = two_epochs(processes, folder / name / "state.pt", resume)
        found[name] = {"history": run.history, "average": digest(run.average.module)}
    torch.save(found, folder / f"{processes.rank}.pt")
    processes.leave()


def second_fails(words: list[str]) -> int:
    """train.py, in which the second process alone cannot read its films."""

    def films(*a) -> None:
        raise DataError("One film of the second process cannot be read.")

    import os

    if os.environ["RANK"] == "1":
        session.dataset.films = films
    return train.main(words)


if __name__ == "__main__":
    if sys.argv[1] == "everything":
        everything(Path(sys.argv[2]))
    else:
        sys.exit(second_fails(sys.argv[2:]))
