"""Batches of an epoch: augmented films with targets and lung fields, beside or between steps."""

from __future__ import annotations

import math
import mmap
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch

from pneumo.data.memory import Films, epoch_order
from pneumo.models.preprocess import Preprocessing
from pneumo.training.making import Film, Making, mask_side
from pneumo.training.recipe import Phase, Recipe
from pneumo.training.team import Team, can_fork

# Where films are made between steps, those of so many steps are at a time: every time processes
# wake up, find their caches filled with something else, and wait for the slowest.
AT_ONCE = 4


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step sees.

    Attributes:
        films: float32, (N, 1, S, S), channels last.
        targets: float32, (N,), 1 pneumonia, 0 normal, 0.5 for a film whose lungs are hidden,
            `making.HALF_ILL` for one of two halves.
        lungs: float32, (M, 1, S / 4, S / 4), 0 to 1, of the films whose evidence is judged.
        judged: int64, (M,), their places in the batch.
        ill: float32, (H, 1, S / 4, S / 4), of the films of two halves, the lungs in the ill one.
        halves: int64, (H,), their places among the judged.
        start: place of the batch's first film in the step.
        of: films of the whole step, those of other processes included.
    """

    films: torch.Tensor
    targets: torch.Tensor
    lungs: torch.Tensor
    judged: torch.Tensor
    ill: torch.Tensor
    halves: torch.Tensor
    start: int
    of: int

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def pinned(self) -> Batch:
        """The same batch in memory from which a device copies while it computes."""
        return self._each(torch.Tensor.pin_memory)

    def _each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Batch:
        names = ("films", "targets", "lungs", "judged", "ill", "halves")
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
        self.films, self.recipe, self.share = films, recipe, share
        self.making = Making(films, recipe, preprocessing)
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
        made_by: Callable[..., list[Film]] | None = None,
    ) -> Batch:
        """This process's films of one step, each augmented by random numbers of its own.

        Args:
            indices: of the films of the whole step.
            epoch, step: counted from 0.
            size: side of the films, pixels.
            phase: how films are painted.
            made_by: does what `Making` does, with the same words; that itself by default.
        """
        places, values = self.share(len(indices)), np.empty((len(indices), size, size), np.float32)
        made = (made_by or self.making)(places, indices, epoch, step, size, phase, values)
        return self._batch(made, values, len(indices))

    def _batch(self, made: list[Film], values: np.ndarray, of: int) -> Batch:
        """The batch of what is known of films and their values, each at its place."""
        places, size = self.share(of), values.shape[-1]
        judged = [i for i, film in enumerate(made) if film.lungs is not None]
        halves = [i for i, place in enumerate(judged) if made[place].ill is not None]
        batch = Batch(
            torch.from_numpy(values[places.start : places.stop])[:, None].contiguous(
                memory_format=torch.channels_last
            ),
            torch.tensor([film.target for film in made]),
            _fields([made[i].lungs for i in judged], size),
            torch.tensor(judged, dtype=torch.long),
            _fields([made[judged[i]].ill for i in halves], size),
            torch.tensor(halves, dtype=torch.long),
            places.start, of,
        )
        return batch.pinned() if self.cuda else batch

    def epoch(self, epoch: int, size: int, phase: Phase) -> Iterator[Batch]:
        """All batches of an epoch, each to be used before the next; whoever makes them, they are
        the same.

        Where a core is spare, films are made beside the step. Where the step has them all, films
        are made by as many processes between steps, or threads where processes cannot be forked:
        beside it they would take a core from one of its threads, for which the others then wait.
        """
        # Several processes on this machine share its cores.
        mine = (os.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        if self.cuda or torch.get_num_threads() < mine:
            yield from self._ahead(epoch, size, phase)
            return
        helpers = torch.get_num_threads() - 1
        if helpers and can_fork():
            yield from self._by_team(helpers, epoch, size, phase)
            return
        with ThreadPoolExecutor(helpers + 1) as pool:
            made_by = self._on_threads(pool)
            for step, indices in enumerate(self.indices(epoch, phase.adults)):
                yield self.batch(indices, epoch, step, size, phase, made_by)

    def _by_team(self, helpers: int, epoch: int, size: int, phase: Phase) -> Iterator[Batch]:
        """The batches, made by this process and others, which are forked for this epoch.

        They put the films where all of them see it: through a pipe, and then into one array, their
        way would take an eighth of the time of making them.
        """
        steps = self.indices(epoch, phase.adults)
        shape = (AT_ONCE, max(map(len, steps)), size, size)
        room = np.frombuffer(mmap.mmap(-1, 4 * math.prod(shape)), np.float32).reshape(shape)

        def make(tasks: Sequence[tuple[int, int]]) -> list[Film]:
            return [
                self.making([place], steps[step], epoch, step, size, phase, room[step % AT_ONCE])[0]
                for step, place in tasks
            ]

        team = Team(make, helpers)
        try:
            for first in range(0, len(steps), AT_ONCE):
                some = range(first, min(first + AT_ONCE, len(steps)))
                places = {step: self.share(len(steps[step])) for step in some}
                made = iter(team([(step, place) for step in some for place in places[step]]))
                for step in some:
                    films = list(islice(made, len(places[step])))
                    yield self._batch(films, room[step % AT_ONCE], len(steps[step]))
        finally:
            team.stop()

    def _on_threads(self, pool: ThreadPoolExecutor) -> Callable[..., list[Film]]:
        """What `making` does, each film on one of the pool's threads."""

        def made_by(places: range, *rest: object) -> list[Film]:
            parts = [pool.submit(self.making, [place], *rest) for place in places]
            return [film for part in parts for film in part.result()]

        return made_by

    def _ahead(self, epoch: int, size: int, phase: Phase) -> Iterator[Batch]:
        """The batches, each made a little before it is needed."""
        made: queue.Queue = queue.Queue(maxsize=4)
        stop = threading.Event()
        workers = max(1, (os.cpu_count() or 1) // max(1, torch.cuda.device_count()) - 1)

        def make() -> None:
            try:
                with ThreadPoolExecutor(workers if self.cuda else 1) as pool:
                    made_by = self._on_threads(pool)
                    for step, indices in enumerate(self.indices(epoch, phase.adults)):
                        if stop.is_set():
                            return
                        made.put(self.batch(indices, epoch, step, size, phase, made_by))
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


def _fields(masks: list[np.ndarray], size: int) -> torch.Tensor:
    """Lung fields, uint8 0 to 255, of films of this side: float32 (N, 1, S / 4, S / 4), 0 to 1."""
    stack = np.stack(masks) if masks else np.empty((0, *2 * (mask_side(size),)), np.uint8)
    return torch.from_numpy(stack)[:, None].float() / 255
