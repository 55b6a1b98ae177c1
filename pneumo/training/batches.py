"""Batches of an epoch: augmented films with targets and lung fields, made on threads."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import torch

from pneumo.models.preprocess import Preprocessing
from pneumo.training.augment import augment, generator
from pneumo.training.memory import Films, epoch_order
from pneumo.training.painting import hide_lungs, replace_surroundings
from pneumo.training.recipe import Phase, Recipe

# Lung fields are this much coarser than their films: the finest map that is judged by them is as
# coarse again, and the time their pixels take comes off every step.
MASK_COARSER = 2
# Where maps are compared with their mirror images, one film in so many gets a mirrored twin.
TWIN_EVERY = 8


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step sees.

    Attributes:
        films: float32, (N, 1, S, S), channels last.
        targets: float32, (N,), 1 pneumonia, 0 normal, 0.5 for a film whose lungs are hidden.
        lungs: float32, (M, 1, S / 2, S / 2), 0 to 1, of the films whose evidence is judged.
        judged: int64, (M,), their places in the batch.
        twins: int64, (T,), places of films that are the mirror image of the film before them.
        start: place of the batch's first film in the step.
        of: films of the whole step, those of other processes included.
    """

    films: torch.Tensor
    targets: torch.Tensor
    lungs: torch.Tensor
    judged: torch.Tensor
    twins: torch.Tensor
    start: int
    of: int

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def pinned(self) -> Batch:
        """The same batch in memory from which a device copies while it computes."""
        return self._each(torch.Tensor.pin_memory)

    def _each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Batch:
        names = ("films", "targets", "lungs", "judged", "twins")
        return replace(self, **{name: change(getattr(self, name)) for name in names})


class Batches:
    """Draws the batches of every epoch; what is drawn depends on seed, epoch and place alone.

    Args:
        films: the training films in memory.
        recipe: seed, batch size and augmentation.
        preprocessing: of the network.
        share: gives this process's places in a step of so many films; all of them by default.
        device: that will compute. Beside an accelerator all cores but one make films.
    """

    def __init__(
        self, films: Films, recipe: Recipe, preprocessing: Preprocessing,
        share: Callable[[int], range] = range, device: torch.device | None = None,
    ) -> None:
        self.films, self.recipe, self.preprocessing = films, recipe, preprocessing
        self.share = share
        self.cuda = device is not None and device.type == "cuda"

    def indices(self, epoch: int, second: float = 0.0) -> list[np.ndarray]:
        """Indices of the films of each step of an epoch, the steps as equal as can be.

        Args:
            epoch: counted from 0.
            second: share of films of the second population.
        """
        order = epoch_order(self.films, self.recipe.seed, epoch, second)
        # As many steps with the second population as without: the schedule counts them.
        steps = (len(self.films.labels) - len(self.films.second)) / self.recipe.batch
        return np.array_split(order, max(1, round(steps)))

    def batch(
        self, indices: np.ndarray, epoch: int, step: int, size: int, phase: Phase,
        each: Callable = map,
    ) -> Batch:
        """This process's films of one step, each augmented by random numbers of its own.

        Args:
            indices: of the films of the whole step.
            epoch, step: counted from 0.
            size: side of the films, pixels.
            phase: how films are painted.
            each: `map`, or an executor's.
        """

        twinned = range(0, len(indices), TWIN_EVERY) if phase.mirror else range(0)

        def one(place: int) -> list[tuple[np.ndarray, float, np.ndarray | None]]:
            rng = generator(self.recipe.seed, epoch, 2, step, place)
            film = self._film(int(indices[place]), rng, size, phase)
            return [film, _mirrored(*film)] if place in twinned else [film]

        places = self.share(len(indices))
        made = list(each(one, places))
        films, targets, masks = zip(*chain.from_iterable(made), strict=True)
        ends = np.cumsum([len(films) for films in made])
        twins = [end - 1 for end, films in zip(ends, made, strict=True) if len(films) == 2]
        judged = [i for i, mask in enumerate(masks) if mask is not None]
        lungs = [masks[i] for i in judged]
        coarse = max(1, size // MASK_COARSER)
        stack = np.stack(lungs) if lungs else np.empty((0, coarse, coarse), np.uint8)
        batch = Batch(
            self.preprocessing.tensor(np.stack(films)).contiguous(
                memory_format=torch.channels_last
            ),
            torch.tensor(targets),
            torch.from_numpy(stack)[:, None].float() / 255,
            torch.tensor(judged, dtype=torch.long),
            # The map of a film with hidden lungs is to show nothing.
            torch.tensor([i for i in twins if targets[i] != 0.5], dtype=torch.long),
            # Twins of other processes' films count, too.
            places.start + len([place for place in twinned if place < places.start]),
            len(indices) + len(twinned),
        )
        return batch.pinned() if self.cuda else batch

    def _film(
        self, index: int, rng: np.random.Generator, size: int, phase: Phase
    ) -> tuple[np.ndarray, float, np.ndarray | None]:
        """One film with its target, and its lungs where its evidence is to be judged."""
        square, target = self.films.squares[index], float(self.films.labels[index])
        mask = self._lungs(index, phase) if phase.evidence else None
        if mask is not None and (phase.hidden or phase.replaced):
            square, hidden = self._painted(square, mask, phase, rng)
            target, mask = (0.5, None) if hidden else (target, mask)
        film, mask = augment(
            square, rng, self.recipe.augmentation, size, mask, max(1, size // MASK_COARSER))
        return film, target, mask

    def _lungs(self, index: int, phase: Phase) -> np.ndarray | None:
        drawn = self.films.lungs.get(index)
        return self.films.found.get(index) if drawn is None and phase.found else drawn

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

    def epoch(self, epoch: int, size: int, phase: Phase) -> Iterator[Batch]:
        """All batches of an epoch; whoever makes them, they are the same.

        Where a core is spare, films are made beside the step. Where the step has them all, films
        are made by all of them between steps: beside it they would take a core from one of its
        threads, for which the others then wait.
        """
        # Several processes on this machine share its cores.
        mine = (os.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        if self.cuda or torch.get_num_threads() < mine:
            yield from self._ahead(epoch, size, phase)
            return
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            for step, indices in enumerate(self.indices(epoch, phase.adults)):
                yield self.batch(indices, epoch, step, size, phase, pool.map)

    def _ahead(self, epoch: int, size: int, phase: Phase) -> Iterator[Batch]:
        """The batches, each made a little before it is needed."""
        made: queue.Queue = queue.Queue(maxsize=4)
        stop = threading.Event()
        workers = max(1, (os.cpu_count() or 1) // max(1, torch.cuda.device_count()) - 1)

        def make() -> None:
            try:
                with ThreadPoolExecutor(workers if self.cuda else 1) as pool:
                    each = pool.map if self.cuda else map
                    for step, indices in enumerate(self.indices(epoch, phase.adults)):
                        if stop.is_set():
                            return
                        made.put(self.batch(indices, epoch, step, size, phase, each))
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


def _mirrored(
    film: np.ndarray, target: float, mask: np.ndarray | None
) -> tuple[np.ndarray, float, np.ndarray | None]:
    """A film as `Batches` makes it, and its lungs, left to right."""
    return film[:, ::-1], target, None if mask is None else mask[:, ::-1]
