"""Batches of an epoch: augmented films with targets and lung fields, made ahead on a thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import torch

from pneumo.models.preprocess import Preprocessing
from pneumo.training.augment import augment, generator
from pneumo.training.memory import Films, epoch_order
from pneumo.training.painting import hide_lungs, replace_surroundings
from pneumo.training.recipe import Phase, Recipe


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step sees.

    Attributes:
        films: float32, (N, 1, S, S), channels last.
        targets: float32, (N,), 1 pneumonia, 0 normal, 0.5 for a film whose lungs are hidden.
        lungs: float32, (M, 1, S, S), 0 to 1, of the films whose evidence is judged.
        judged: int64, (M,), their places in the batch.
    """

    films: torch.Tensor
    targets: torch.Tensor
    lungs: torch.Tensor
    judged: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        return Batch(*(getattr(self, f.name).to(device, non_blocking=True) for f in fields(self)))


class Batches:
    """Draws the batches of every epoch; what is drawn depends on seed, epoch and place alone.

    Args:
        films: the training films in memory.
        recipe: seed, batch size and augmentation.
        preprocessing: of the network.
    """

    def __init__(self, films: Films, recipe: Recipe, preprocessing: Preprocessing) -> None:
        self.films, self.recipe, self.preprocessing = films, recipe, preprocessing

    def indices(self, epoch: int) -> list[np.ndarray]:
        """Indices of the films of each step of an epoch, the steps as equal as can be."""
        order = epoch_order(self.films.labels, self.recipe.seed, epoch)
        return np.array_split(order, max(1, round(len(order) / self.recipe.batch)))

    def batch(
        self, indices: np.ndarray, epoch: int, step: int, size: int, phase: Phase
    ) -> Batch:
        """The films of one step, each augmented by random numbers of its own."""
        films, targets, lungs, judged = [], [], [], []
        for place, index in enumerate(indices):
            rng = generator(self.recipe.seed, epoch, 2, step, place)
            square, target = self.films.squares[index], float(self.films.labels[index])
            mask = self.films.lungs.get(int(index)) if phase.evidence else None
            if mask is not None and (phase.hidden or phase.replaced):
                square, hidden = self._painted(square, mask, phase, rng)
                target, mask = (0.5, None) if hidden else (target, mask)
            film, mask = augment(square, rng, self.recipe.augmentation, size, mask)
            films.append(film)
            targets.append(target)
            if mask is not None:
                lungs.append(mask)
                judged.append(place)
        masks = np.stack(lungs) if lungs else np.empty((0, size, size), np.uint8)
        return Batch(
            self.preprocessing.tensor(np.stack(films)).contiguous(
                memory_format=torch.channels_last
            ),
            torch.tensor(targets),
            torch.from_numpy(masks)[:, None].float() / 255,
            torch.tensor(judged, dtype=torch.long),
        )

    def _painted(
        self, square: np.ndarray, mask: np.ndarray, phase: Phase, rng: np.random.Generator
    ) -> tuple[np.ndarray, bool]:
        """The film, perhaps painted, and whether its lungs are hidden."""
        chance = rng.random()
        if chance < phase.hidden:
            return hide_lungs(square, mask, rng), True
        if chance < phase.hidden + phase.replaced:
            other = self.films.squares[rng.integers(len(self.films.squares))]
            return replace_surroundings(square, mask, other, rng), False
        return square, False

    def ahead(self, epoch: int, size: int, phase: Phase) -> Iterator[Batch]:
        """All batches of an epoch, each made a little before it is needed."""
        made: queue.Queue = queue.Queue(maxsize=4)
        stop = threading.Event()

        def make() -> None:
            try:
                for step, indices in enumerate(self.indices(epoch)):
                    if stop.is_set():
                        return
                    made.put(self.batch(indices, epoch, step, size, phase))
                made.put(None)
            except Exception as error:  # handed to the training thread, which raises it
                made.put(error)

        thread = threading.Thread(target=make, daemon=True)
        thread.start()
        try:
            while (item := made.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            stop.set()
            while not made.empty():
                made.get_nowait()
