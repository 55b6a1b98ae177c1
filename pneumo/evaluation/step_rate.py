"""How fast the real training step is, against a bare one of the same network on the same films."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise, repeat
from pathlib import Path
from statistics import median
from types import SimpleNamespace

import cv2
import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from pneumo.data import dataset
from pneumo.data.memory import Films
from pneumo.imaging.phantom import phantom
from pneumo.models.preprocess import Preprocessing
from pneumo.training.batches import AT_ONCE, Batch
from pneumo.training.initial import start
from pneumo.training.recipe import Recipe
from pneumo.training.trainer import Trainer

# Films are drawn, or read, once; an epoch takes each many times.
DIFFERENT = 32
# Steps of an epoch that are not counted: until all goes its usual way, and where at its end no more
# films are made.
FIRST, LAST = 5, 5


def some_films(size: int, count: int, data: Path | None = None) -> Films:
    """As many films as an epoch needs, all with a lung field.

    Args:
        size: side, pixels.
        count: how many; both classes take turns.
        data: folder with train/, whose first films are read; drawn films without it.

    Raises:
        DataError: when there are no films in the folder.
    """
    if data is None:
        chosen = np.stack([phantom(seed, size)[0] for seed in range(DIFFERENT)])
    else:
        table = dataset.films(data, "train")
        classes = [[film for film in table if film.label == label] for label in (0, 1)]
        turns = [film for pair in zip(*classes, strict=False) for film in pair][:DIFFERENT]
        chosen = dataset.load_squares(turns, Preprocessing(size))
    places = np.arange(count)
    lungs = np.zeros((size, size), np.uint8)
    for across in (0.3, 0.7):
        middle, axes = (int(across * size), size // 2), (size // 7, size // 4)
        cv2.ellipse(lungs, middle, axes, 0, 0, 360, 255, -1)
    return Films(chosen[places % len(chosen)], places % 2, dict.fromkeys(range(count), lungs))


@dataclass(frozen=True)
class Rate:
    """How fast one kind of step is.

    Attributes:
        milliseconds: of a step, the median over the turns.
        ratios: of its rate to that of the bare steps before and after it, one for each turn; none
            of the bare step itself.
    """

    milliseconds: float
    ratios: tuple[float, ...] = ()

    @property
    def ratio(self) -> float:
        """The median over the turns."""
        return median(self.ratios)


def step_rates(
    model: str, films: Callable[[int], Films], steps: int, rounds: int, size: int, batch: int
) -> tuple[dict[str, Rate], str]:
    """Milliseconds of a step, bare and in training. Bare steps come before and after each kind of
    the others, so that both meet the same disturbances of the machine.

    A bare step is forward, cross-entropy, backward and AdamW on one batch that lies in memory. A
    training step is what the trainer does from one report of progress to the next, making the films
    included, with and without the loss on evidence, and in a lung epoch, adults and teachers apart;
    and once more on the bare step's films. Films of several steps may be made at once, so the time
    of as many together counts.

    Args:
        model: registered name.
        films: gives so many films.
        steps: timed in a turn, of each kind; a multiple of `AT_ONCE`.
        rounds: turns.
        size: side of the films, pixels.
        batch: films a step.

    Returns:
        by the names bare, training, same_films, without_evidence and lungs; and the device.

    Raises:
        ValueError: when steps cannot be counted so.
    """
    if steps % AT_ONCE:
        raise ValueError(f"steps are counted by {AT_ONCE}, not {steps}")
    recipe = Recipe.released(
        model, epochs=rounds, frozen_epochs=0, low_epochs=0, lung_epochs=0, size=size,
        batch=batch, unfreeze="all", early_distil=0.0,
    )
    count = (steps + FIRST + LAST) * batch
    lungs = Recipe.released(
        model, epochs=0, frozen_epochs=0, low_epochs=0, lung_epochs=rounds, size=size,
        batch=batch, adults=0.0, distil=0.0,
    )
    spaces = {"training": recipe, "without_evidence": replace(recipe, evidence=0.0),
              "lungs": lungs}
    held, validation = films(count), films(4)
    trained = {name: _Timed(spec, held, validation) for name, spec in spaces.items()}
    bare = _Bare(recipe, trained["training"].trainer)
    trained["same_films"] = _Timed(recipe, held, validation, bare.batch)
    times: dict[str, list[float]] = {"bare": [], **{name: [] for name in trained}}
    ratios: dict[str, list[float]] = {name: [] for name in trained}
    bare.steps(AT_ONCE)  # warms up; trainers do in the steps of each epoch that do not count
    before = bare.steps(steps)
    turns = [name for _ in range(rounds) for name in trained]
    for name in tqdm(turns, unit="turn", desc=model, leave=False, disable=None):
        seconds, after = trained[name].epoch(), bare.steps(steps)
        times["bare"].append(after)
        times[name].append(seconds)
        ratios[name].append((before + after) / 2 / seconds)
        before = after
    return {
        name: Rate(1000 * median(values), tuple(ratios.get(name, ())))
        for name, values in times.items()
    }, bare.device.type


class _Timed:
    """A trainer whose steps are timed where it reports them; on films made before, if given."""

    def __init__(
        self, recipe: Recipe, films: Films, validation: Films, made: Batch | None = None
    ) -> None:
        self._at: list[float] = []
        network, initial = start(recipe.model, "scratch", recipe.seed)
        self.trainer = Trainer(
            network, recipe, initial.fresh_modules, films, validation, Preprocessing(recipe.size),
            log=lambda line: None, progress=self._note,
        )
        if made is not None:
            steps = self.trainer.steps_an_epoch
            self.trainer.batches = SimpleNamespace(epoch=lambda *which: repeat(made, steps))

    def _note(self, done: int, total: int, loss: float) -> None:
        self._at.append(time.perf_counter())

    def epoch(self) -> float:
        """Median seconds of a step over one epoch's middle."""
        self._at.clear()
        self.trainer.run(stop_after=1)
        return _a_step(self._at[FIRST - 1 : -LAST])


class _Bare:
    """A network that takes steps on one batch, as bare as a step can be."""

    def __init__(self, recipe: Recipe, trainer: Trainer) -> None:
        self.device, self.bf16 = trainer.device, trainer.bf16
        network, _ = start(recipe.model, "scratch", recipe.seed)
        self.network = network.to(self.device, memory_format=torch.channels_last).train()
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=1e-5, weight_decay=recipe.weight_decay, fused=True
        )
        films = trainer.batches
        self.batch = films.batch(
            films.indices(0)[0], 0, 0, recipe.size, trainer.phases[0]
        ).to(self.device)

    def steps(self, count: int) -> float:
        """Median seconds of a step over so many."""
        at = [time.perf_counter()]
        for _ in range(count):
            device = self.device.type
            with torch.autocast(device, torch.bfloat16, enabled=self.bf16):
                logits = self.network(self.batch.films)
            loss = functional.binary_cross_entropy_with_logits(logits.float(), self.batch.targets)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self.optimiser.step()
            if device == "cuda":
                torch.cuda.synchronize()
            at.append(time.perf_counter())
        return _a_step(at)


def _a_step(at: list[float]) -> float:
    """Seconds of a step, the median over groups of `AT_ONCE`, from the times at their ends."""
    return median(after - before for before, after in pairwise(at[::AT_ONCE])) / AT_ONCE
