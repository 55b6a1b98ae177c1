"""One training run: from a folder of radiographs to RUN/weights.safetensors and RUN/run.json."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import torch
from accelerate import Accelerator
from safetensors.torch import save_file
from tqdm import tqdm

from pneumo.data import dataset
from pneumo.data.memory import Images
from pneumo.data.synthetic_adults import synthetic_adults
from pneumo.models.card import BUNDLED
from pneumo.models.checkpoint import load_checkpoint
from pneumo.models.lungs import find_lungs
from pneumo.models.preprocess import Preprocessing
from pneumo.models.segmenter import LungSegmenter, load_segmenter
from pneumo.training.initial import start
from pneumo.training.recipe import Recipe, RecipeError
from pneumo.training.trainer import Trainer

# Images are held at this side; crops are cut from them.
HELD = 224


def train(
    recipe: Recipe, data: Path, folder: Path, init: str | None = None, *, resume: bool = False
) -> None:
    """Train a network, or go on after the last whole epoch of an earlier run.

    `folder` gets train.log, the resumable state.pt, weights.safetensors (float32 state dict of the
    averaged weights) and run.json (recipe, start, data, versions, history). `init` is as `start`
    takes it.

    Raises:
        DataError, CheckpointError, InitialError, StateError, FloatingPointError: each with a
            sentence.
    """
    # Unless told that it is one, accelerate overlooks the other processes of a CPU.
    on_cpus = "LOCAL_RANK" in os.environ and not torch.cuda.is_available()
    accelerator = Accelerator(cpu=on_cpus)
    main = accelerator.is_main_process
    if accelerator.device.type == "cpu":
        # Sums of several threads round otherwise, and the weights should be the same on any number.
        torch.set_num_threads(1)

    def log(line: str) -> None:
        if main:
            tqdm.write(line)
            with (folder / "train.log").open("a", encoding="utf-8") as kept:
                kept.write(line + "\n")

    table = dataset.samples(data, "train")
    parts = dataset.validation_split(table, 0, recipe.folds, recipe.fold)
    segmenter = load_segmenter(BUNDLED / "lungs.safetensors")
    images, validation = (_in_memory(part, segmenter) for part in parts)
    folder.mkdir(parents=True, exist_ok=True)
    if recipe.adult_p:
        adults = synthetic_adults()
        images = replace(images, adults=(adults, find_lungs(segmenter, adults)))
    teacher = None
    if recipe.teacher and recipe.teacher_weight:
        teacher = load_checkpoint(recipe.teacher, BUNDLED)
        log(f"Teacher: {teacher.name}, weights {teacher.weights_sha256[:12]}.")
        if teacher.preprocessing != Preprocessing(size=recipe.size):
            raise RecipeError(f"The teacher {teacher.name} takes images of another preprocessing.")
    network, initial = start(recipe.model, init, recipe.seed)
    log(
        f"{len(parts[0])} radiographs to train on, {len(parts[1])} for validation; no patient is "
        "in both."
    )
    log(initial.sentence)
    with tqdm(unit="step", dynamic_ncols=True, disable=None if main else True) as bar:

        def step(done: int, total: int, loss: float) -> None:
            bar.total = total
            bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
            bar.update(done - bar.n)

        trainer = Trainer(
            network,
            recipe,
            initial.pretrained,
            images,
            validation,
            Preprocessing(size=recipe.size),
            folder / "state.pt",
            log,
            step,
            accelerator,
            teacher.network if teacher else None,
        )
        if resume:
            trainer.resume()
            log(f"Resumed after epoch {trainer.epoch}.")
        averaged = trainer.run()
    if main:
        weights = {k: v.contiguous() for k, v in averaged.state_dict().items()}
        save_file(weights, folder / "weights.safetensors")
        facts = {
            "recipe": recipe.record(),
            "start": initial.sentence,
            "teacher": teacher and {"name": teacher.name, "sha256": teacher.weights_sha256},
            "data": {
                "fingerprint": dataset.fingerprint(table),
                "training": dataset.facts(parts[0]),
                "validation": dataset.facts(parts[1]),
            },
            "command": _command(sys.argv[1:]),
            "commit": _commit(),
            "versions": {n: version(n) for n in ("torch", "torchvision", "numpy", "accelerate")},
            "device": accelerator.device.type,
            "processes": accelerator.num_processes,
            "finished": time.strftime("%Y-%m-%d", time.gmtime()),
            "seconds": round(sum(entry["seconds"] for entry in trainer.history)),
            "history": trainer.history,
        }
        (folder / "run.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    accelerator.wait_for_everyone()
    accelerator.end_training()


def _in_memory(table: tuple[dataset.Sample, ...], segmenter: LungSegmenter) -> Images:
    squares = dataset.load_squares(table, Preprocessing(size=HELD))
    return Images(squares, dataset.labels(table), find_lungs(segmenter, squares))


def _command(words: list[str]) -> str:
    """The command as it can be typed again: without --resume and what is written where, folders by
    their last name."""
    places = ("--run", "--out")
    kept = [
        Path(word).name if "/" in word and "=" not in word else word
        for before, word in zip(["", *words], words, strict=False)
        if word.partition("=")[0] not in (*places, "--resume") and before not in places
    ]
    return shlex.join(["python", "train.py", *(kept[1:] if kept[:1] == ["train"] else kept)])


def _commit() -> str:
    """The commit of the code, and "-dirty" where files differ from it; empty outside of git."""
    words = ["describe", "--always", "--exclude=*", "--abbrev=12", "--dirty"]
    command = ["git", "-C", str(Path(__file__).parent), *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
