"""A team that shares out work on arrays: this process and others, forked from it.

Threads would wait for each other: the calls that make a film are too short for Python's lock.
"""

from __future__ import annotations

import gc
import mmap
import multiprocessing
import os
import pickle
import signal
import sys
import traceback
import warnings
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path

import cv2

# Bytes a helper's answer may have in shared memory, taken from the machine as they are used; what
# is larger goes through the pipe.
SPACE = 64 * 2**20


class TeamError(RuntimeError):
    """A helper has ended; the message says how, and what to do."""


def can_fork() -> bool:
    """Whether processes can be forked safely; on macOS system libraries do not survive it."""
    return "fork" in multiprocessing.get_all_start_methods() and sys.platform != "darwin"


class Team:
    """Makes a list of things with several processes; as a function does it alone.

    Helpers hold what the function holds, as it was when they were forked. They end with the team,
    or with this process.

    Args:
        make: called with part of the places and the rest of the words; gives a list of the same
            length. Beside arrays anything that can be pickled. It must not call torch, whose
            threads a fork does not have.
        helpers: how many processes beside this one.
    """

    def __init__(self, make: Callable[..., list], helpers: int) -> None:
        self._make, threads = make, cv2.getNumThreads()
        cv2.setNumThreads(1)  # nor would OpenCV's threads survive
        self._helpers = [_Helper(make) for _ in range(helpers)]
        cv2.setNumThreads(threads)
        self._end = weakref.finalize(self, _stop, tuple(self._helpers))

    def __call__(self, places: Sequence[int], *rest: object) -> list:
        """What `make` gives for these places; arrays are to be used before the next call.

        Raises:
            whatever `make` raises, wherever it does.
            TeamError: with a sentence, when a helper is gone.
        """
        count = len(self._helpers) + 1
        ends = [len(places) * i // count for i in range(count + 1)]
        parts = [places[start:end] for start, end in pairwise(ends)]
        for helper, part in zip(self._helpers, parts[1:], strict=True):
            helper.ask(part, *rest)
        made = list(self._make(parts[0], *rest))
        for helper in self._helpers:
            made += helper.answer()
        return made

    def stop(self) -> None:
        """End the helpers."""
        self._end()


def _stop(helpers: Sequence[_Helper]) -> None:
    for helper in helpers:
        helper.stop()


class _Helper:
    """One forked process, seen from this one."""

    def __init__(self, make: Callable[..., list]) -> None:
        context = multiprocessing.get_context("fork")
        self._shared, self._asked = mmap.mmap(-1, SPACE), 0
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(make, theirs, self._pipe, self._shared), daemon=True)
        with warnings.catch_warnings():
            # Python warns of forks beside threads; a helper calls nothing that waits for one.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        theirs.close()

    def ask(self, *words: object) -> None:
        self._asked += 1
        try:
            self._pipe.send((self._asked, words))
        except OSError as error:
            raise self._gone() from error

    def answer(self) -> list:
        number = 0
        try:
            while number != self._asked:  # what an interrupted call asked for is dropped
                number, error, content, sizes = self._pipe.recv()
        except (EOFError, OSError) as ended:
            raise self._gone() from ended
        if error is not None:
            raise error[0] from RuntimeError(error[1])
        view, start, buffers = memoryview(self._shared), 0, []
        for size in sizes:
            buffers.append(view[start : start + size])
            start += size
        return pickle.loads(content, buffers=buffers)

    def _gone(self) -> TeamError:
        self._process.join(1)
        return TeamError(
            "A process that makes films has ended (exit code "
            f"{self._process.exitcode}); perhaps the machine is out of memory. --resume goes on "
            "from the last epoch."
        )

    def stop(self) -> None:
        with suppress(OSError):
            self._pipe.send(None)  # later helpers hold this end, too: closing it is not enough
        self._pipe.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _that_travels(error: Exception) -> Exception:
    """The error, or one that says the same where it cannot be pickled and back."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(repr(error))
    return error


def _serve(
    make: Callable[..., list], pipe: Connection, theirs: Connection, shared: mmap.mmap
) -> None:
    """What a helper does until it is told to end, or nobody is left to tell it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who asks ends it
    theirs.close()
    # Whoever waits for the end of a pipe or socket of the asking process must not wait for this one
    # as well; and nothing that was inherited is to be closed a second time.
    gc.disable()
    folder = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
    for number in sorted(int(entry.name) for entry in folder.iterdir()):
        if number > 2 and number != pipe.fileno():
            with suppress(OSError):  # the listing's own is closed by now
                os.close(number)
    view = memoryview(shared)
    while True:
        try:
            asked = pipe.recv()
        except (EOFError, OSError):
            return
        if asked is None:
            return
        number, words = asked
        try:
            buffers: list[pickle.PickleBuffer] = []
            made = make(*words)
            content = pickle.dumps(made, protocol=5, buffer_callback=buffers.append)
            parts = [buffer.raw() for buffer in buffers]
            sizes = [part.nbytes for part in parts]
            if sum(sizes) > len(view):
                content, parts, sizes = pickle.dumps(made, protocol=5), [], []
            start = 0
            for part, size in zip(parts, sizes, strict=True):
                view[start : start + size] = part
                start += size
            answer = (number, None, content, sizes)
        except Exception as error:
            answer = (number, (_that_travels(error), traceback.format_exc()), b"", [])
        try:
            pipe.send(answer)
        except OSError:
            return
