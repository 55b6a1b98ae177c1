"""How many CPU threads each network may use while several images are analyzed."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class ThreadLimiter:
    """Gives CPU threads to networks, first come, first served, and never more than there are.

    A network on all threads answers one image soonest. Of many images two at once, each on half
    of the threads, are done sooner: threads of one network wait for each other at every layer, the
    more the busier the browser and the decoders beside them are.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or torch.get_num_threads()
        self._free = self.threads
        self._queue: deque[object] = deque()
        self._change = threading.Condition()

    @contextmanager
    def limited(self, half: bool = False) -> Iterator[int]:
        """Wait for all threads, or half of them, and have torch use so many in this thread."""
        wanted, place = max(1, self.threads // 2) if half else self.threads, object()
        with self._change:
            self._queue.append(place)
            self._change.wait_for(lambda: self._queue[0] is place and self._free >= wanted)
            self._queue.popleft()
            self._free -= wanted
            self._change.notify_all()  # the next one may have enough too
        try:
            # torch keeps this number for every thread of the process apart.
            torch.set_num_threads(wanted)
            yield wanted
        finally:
            with self._change:
                self._free += wanted
                self._change.notify_all()
