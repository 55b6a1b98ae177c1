"""One training run: from a folder of radiographs to RUN/weights.safetensors and RUN/run.json."""

from __future__ import annotations

import json
import logging
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from safetensors.torch import save_file
from tqdm import tqdm

from pneumo.data import dataset
from pneumo.data.memory import Images, logits
from pneumo.models.card import BUNDLED
from pneumo.models.checkpoint import load_checkpoint
from pneumo.models.lungs import find_lungs, load_segmenter
from pneumo.models.preprocess import Preprocessing
from pneumo.training.initial import start
from pneumo.training.recipe import Recipe
from pneumo.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[2]
# Images are held at this side; crops are cut from them.
HELD = 224


@dataclass(frozen=True)
class Paths:
    """Where a run reads and writes.

    Attributes:
        data: holds train/{NORMAL,PNEUMONIA}.
        run: log, resumable state, and the result.
        checkpoints: holds the lung segmenter and the teacher.
    """

    data: Path
    run: Path
    checkpoints: Path = BUNDLED


def train(recipe: Recipe, init: str | None, paths: Paths, *, resume: bool = False) -> Path:
    """Train a network.

    Args:
        recipe: what to do.
        init: starting weights, as `initial.start` takes them.
        paths: folders.
        resume: go on after the last whole epoch of an earlier run in `paths.run`.

    Returns:
        The run's folder, which then holds weights.safetensors (float32 state dict of the averaged
        weights) and run.json (recipe, start, data, versions, history).

    Raises:
        DataError, CheckpointError, InitialError, StateError, FloatingPointError: each with a
        sentence for the person.
    """
    accelerator = Accelerator()
    main = accelerator.is_main_process
    log = _logger(paths.run) if main else _silent
    started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    table = dataset.samples(paths.data, "train")
    parts = dataset.validation_split(table, 0, recipe.folds, recipe.fold)
    preprocessing = Preprocessing(size=recipe.size)
    train_images, validation = (_in_memory(part, paths.checkpoints, main) for part in parts)
    teacher = None
    if recipe.teacher_weight:
        teacher = load_checkpoint(recipe.teacher, paths.checkpoints)
        log(f"Teacher: {teacher.name}, weights {teacher.weights_sha256[:12]}.")
        taught = logits(teacher.network, train_images.squares, teacher.preprocessing)
        taught = teacher.card.calibration.probability(taught).astype(np.float32)
        train_images = Images(train_images.squares, train_images.labels, train_images.lungs, taught)
    network, initial = start(recipe.model, init, recipe.seed)
    log(
        f"{len(parts[0])} radiographs to train on, {len(parts[1])} for validation; no patient is "
        "in both."
    )
    log(initial.sentence())
    with _Progress(log, main) as progress:
        trainer = Trainer(
            network,
            recipe,
            initial.pretrained,
            train_images,
            validation,
            preprocessing,
            paths.run / "state.pt",
            progress.log,
            progress.step,
            accelerator,
        )
        if resume:
            trainer.resume()
            progress.log(f"Resumed after epoch {trainer.epoch}.")
        averaged = trainer.run()
    if main:
        save_file(
            {k: v.contiguous() for k, v in averaged.state_dict().items()},
            paths.run / "weights.safetensors",
        )
        facts = {
            "recipe": recipe.record(),
            "init": asdict(initial),
            "start": initial.sentence(),
            "teacher": teacher and {"name": teacher.name, "sha256": teacher.weights_sha256},
            "data": {
                "fingerprint": dataset.fingerprint(table),
                "training": dataset.facts(parts[0]),
                "validation": dataset.facts(parts[1]),
            },
            "command": command_line(sys.argv),
            "commit": commit(ROOT),
            "versions": {n: version(n) for n in ("torch", "torchvision", "numpy", "accelerate")},
            "device": accelerator.device.type,
            "processes": accelerator.num_processes,
            "threads": torch.get_num_threads(),
            "started": started,
            "finished": time.strftime("%Y-%m-%d", time.gmtime()),
            "seconds": round(sum(entry["seconds"] for entry in trainer.history)),
            "history": trainer.history,
        }
        (paths.run / "run.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    accelerator.wait_for_everyone()
    accelerator.end_training()
    return paths.run


def command_line(words: list[str]) -> str:
    """The command as it can be typed again: without --resume, folders by their last name."""
    kept = [Path(w).name if "/" in w and "=" not in w else w for w in words[1:] if w != "--resume"]
    return shlex.join(["python", "train.py", *kept])


def commit(folder: Path) -> str:
    """The commit of the code, 40 hexadecimal digits; empty outside of git."""
    try:
        run = ["git", "-C", str(folder), "rev-parse", "HEAD"]
        return subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _in_memory(table: tuple[dataset.Sample, ...], checkpoints: Path, shown: bool) -> Images:
    preprocessing = Preprocessing(size=HELD)
    hidden = None if shown else True  # None: where there is no terminal
    with tqdm(total=len(table), unit="image", desc="reading", disable=hidden) as bar:
        squares = dataset.load_squares(table, preprocessing, lambda done: bar.update(done - bar.n))
    segmenter = load_segmenter(checkpoints / "lungs.safetensors")
    lungs = np.empty_like(squares)
    for i in tqdm(range(0, len(squares), 64), desc="finding lungs", disable=hidden):
        lungs[i : i + 64] = find_lungs(segmenter, squares[i : i + 64])
    return Images(squares, dataset.labels(table), lungs)


class _Progress:
    """A bar on the terminal with the loss and the time left."""

    def __init__(self, log: Callable[[str], None], shown: bool) -> None:
        self._log, self._shown = log, shown
        self._bar: Any = None

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def log(self, line: str) -> None:
        """Keep a line, without tearing the bar."""
        with tqdm.external_write_mode():
            self._log(line)

    def step(self, done: int, total: int, loss: float) -> None:
        """One optimizer step more."""
        if not self._shown:
            return
        if self._bar is None:
            self._bar = tqdm(total=total, initial=done - 1, unit="step", dynamic_ncols=True)
        self._bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
        self._bar.update(done - self._bar.n)


def _silent(line: str) -> None:
    """What all processes but the first have to say."""


def _logger(folder: Path) -> Callable[[str], None]:
    folder.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger("pneumo.training")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    handlers = (logging.StreamHandler(sys.stdout), logging.FileHandler(folder / "train.log"))
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
    return logger.info
