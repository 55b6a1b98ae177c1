"""Several processes that train one network together, as torchrun starts them; or one alone.

Every process holds the whole network and takes its share of each step's films. What is computed
does not depend on how many they are, but for rounding: a film's random numbers depend on its place
in the step (`batches`), batch normalisation and dropout are the whole step's (`shared_layers`), and
gradients are weighted by the films behind them (`loss`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import torch
from torch import distributed, nn
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

Made = TypeVar("Made")
# The others wait while the first finds lungs or validates; should it end, torchrun ends them.
PATIENCE = timedelta(hours=6)


class Processes:
    """The processes of one training run, seen from one of them.

    Args:
        rank: this one's number, from 0.
        count: how many there are.
        store: what torchrun keeps for all of them; None outside of torchrun.
    """

    def __init__(
        self, rank: int = 0, count: int = 1, store: distributed.Store | None = None
    ) -> None:
        self.rank, self.count, self._store = rank, count, store
        # One device a process; those of other processes are not touched.
        place = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if store is not None else "cuda"
        self.device = torch.device(place if torch.cuda.is_available() else "cpu")

    @property
    def together(self) -> bool:
        """Whether torchrun started this process, be it alone."""
        return self._store is not None

    @property
    def first(self) -> bool:
        """Whether this is the process that validates, writes and speaks."""
        return self.rank == 0

    def share(self, films: int) -> range:
        """This process's places in a step of so many films; all shares differ by one at most."""
        each, over = divmod(films, self.count)
        start = self.rank * each + min(self.rank, over)
        return range(start, start + each + (self.rank < over))

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        """The sum over all processes, the same bits in each; not differentiable."""
        total = values.detach().clone()
        if self.together:
            distributed.all_reduce(total)
        return total

    def from_first(self, make: Callable[[], Made]) -> Made:
        """What `make` returns, or raises, in the first process; the others wait for it."""
        if not self.together:
            return make()
        box = [None, None]
        if self.first:
            try:
                box[0] = make()
            except Exception as error:  # raised again below, in every process
                box[1] = error
        distributed.broadcast_object_list(box, src=0)
        if box[1] is not None:
            raise box[1]
        return box[0]

    def same_random_numbers(self) -> None:
        """Give torch's random numbers of the first process to all."""
        if self.together:
            torch.set_rng_state(self.from_first(torch.get_rng_state))
            if self.device.type == "cuda":
                torch.cuda.set_rng_state(self.from_first(torch.cuda.get_rng_state))

    def averaging(self, module: nn.Module) -> nn.Module:
        """The module, with gradients averaged over all processes in every backward pass."""
        if not self.together:
            return module
        # Buffers need no broadcast: normalisation by all films keeps them the same everywhere.
        return DistributedDataParallel(module, broadcast_buffers=False)

    def say_once(self, sentence: str) -> None:
        """Print what ended the run to stderr, unless another process has said why."""
        try:
            if self._store is not None and self._store.add("said", 1) > 1:
                return
        except RuntimeError:  # torchrun has gone; the others say nothing either
            if not self.first:
                return
        print(sentence, file=sys.stderr, flush=True)

    def said(self) -> bool:
        """Whether a process has said why the run ended; what fails after that only follows."""
        try:
            return self._store is not None and self._store.add("said", 0) > 0
        except RuntimeError:
            return True

    def leave(self) -> None:
        """Part from the other processes, when all have come so far."""
        if self.together:
            distributed.destroy_process_group()


def join() -> Processes:
    """The processes torchrun started, connected by nccl on CUDA and gloo elsewhere; or one alone.

    A process that ends with an error makes torchrun end the others, so none waits for it.
    """
    if not (distributed.is_available() and distributed.is_torchelastic_launched()):
        return Processes()
    store, rank, count = next(rendezvous("env://"))
    processes = Processes(rank, count, distributed.PrefixStore("pneumo", store))
    backend = "gloo"
    if processes.device.type == "cuda":
        torch.cuda.set_device(processes.device)
        backend = "nccl"
    distributed.init_process_group(
        backend, store=distributed.PrefixStore("training", store), rank=rank, world_size=count,
        timeout=PATIENCE,
    )
    return processes
