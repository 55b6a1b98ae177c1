"""A pool of processes that decode image files, each under hard limits on time and memory.

They are used again; one that exceeds a limit, crashes or is not waited for is killed and replaced.
"""

import contextlib
import io
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pneumo.imaging.messages import NOTES, DecodingCancelled, UnreadableImage
from pneumo.imaging.precheck import MAX_PIXELS, check_size, kind_of

# What a worker is sent before a file: its kind, seconds of processor time, bytes. And what it
# sends before its answer: bytes of JSON, bytes of pixels.
REQUEST, ANSWER = struct.Struct("<8sdQ"), struct.Struct("<IQ")
# Of the environment a worker gets what Python and its libraries need, and no secrets.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT")
_POLL_SECONDS = 0.05
_PIPE_BYTES = 1 << 20
# After so much at once, or so many files, a worker is replaced: what its decoders hold is freed.
_LARGE_BYTES, _MOST_FILES = 64 << 20, 1000

Cancelled = Callable[[], bool] | None
Decoded = tuple[np.ndarray, str, tuple[str, ...]]


@dataclass(frozen=True)
class Limits:
    """What decoding a file may take: processor time, bytes besides the libraries', wall time."""

    picture_seconds: float = 2.0
    dicom_seconds: float = 8.0
    memory: int = 1 << 30
    wall_seconds: float = 120.0


class Sandbox:
    """Decodes `size` image files at a time in worker processes; for any number of threads."""

    def __init__(self, size: int, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._size = size
        self._slots = threading.BoundedSemaphore(size)
        self._idle: list[_Worker] = []

    def start(self) -> None:
        """Start all workers now, so that no file waits for one; returns at once."""
        while len(self._idle) < self._size:
            self._idle.append(_Worker(self.limits.memory))

    def decode(self, data: bytes, cancelled: Cancelled = None) -> Decoded:
        """Grey pixels of a file (uint8, (H, W), bones bright), how they were stored, and `NOTES`.

        Raises as `read_radiograph`, and a RuntimeError when no worker process can be started.
        """
        kind = kind_of(data)
        while not self._slots.acquire(timeout=_POLL_SECONDS if cancelled else None):
            if cancelled and cancelled():
                raise DecodingCancelled
        try:
            return self._decode(data, kind, cancelled)
        finally:
            self._slots.release()

    def close(self) -> None:
        """End the workers that are idle."""
        while self._idle:
            self._idle.pop().stop()

    def _decode(self, data: bytes, kind: str, cancelled: Cancelled) -> Decoded:
        limits = self.limits
        seconds = limits.dicom_seconds if kind == "DICOM" else limits.picture_seconds
        worker = self._take()
        try:
            end = time.monotonic() + limits.wall_seconds
            answer = worker.ask(data, kind, seconds, end, cancelled)
        except BaseException:
            self._replace(worker)
            raise
        if answer is None:
            code = self._replace(worker)
            if code == -getattr(signal, "SIGPROF", 0) or time.monotonic() > end:
                raise UnreadableImage("time", "refused", kind=kind)
            raise UnreadableImage("damaged", kind=kind)
        if len(data) + answer[1].nbytes > _LARGE_BYTES or worker.files >= _MOST_FILES:
            self._replace(worker)
        else:
            self._idle.append(worker)
        return _checked(*answer, kind)

    def _take(self) -> "_Worker":
        """An idle worker, a new one where there is none."""
        with contextlib.suppress(IndexError):
            # The one used last: its memory is in the caches.
            while not (worker := self._idle.pop()).runs():
                worker.stop()
            return worker
        return _Worker(self.limits.memory)

    def _replace(self, worker: "_Worker") -> int:
        """End a worker, start another, and return the exit code of the first."""
        code = worker.stop()
        # Last in turn: it takes half a second to start.
        self._idle.insert(0, _Worker(self.limits.memory))
        return code


class _Worker:
    """One decoding process, spoken to by one thread at a time."""

    def __init__(self, memory: int) -> None:
        self.files = 0
        self._ready = False
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pneumo.imaging.worker", str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parents[2],
            env={**environment, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            # Ctrl-C ends the program, which then ends its workers.
            start_new_session=True,
        )
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            # A file or its pixels in one piece, not in thirty, where the system allows it.
            with contextlib.suppress(ImportError, AttributeError, OSError):
                import fcntl

                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def ask(
        self, data: bytes, kind: str, seconds: float, end: float, cancelled: Cancelled
    ) -> tuple[dict, np.ndarray] | None:
        """The two parts of the answer to a file, None where the process ended instead."""
        self.files += 1
        answers: list[tuple[dict, np.ndarray]] = []
        header = REQUEST.pack(kind.encode(), seconds, len(data))
        # Another thread waits on the pipes, so that this one can end the process meanwhile.
        thread = threading.Thread(target=self._exchange, args=(header, data, answers), daemon=True)
        thread.start()
        thread.join(_POLL_SECONDS)
        while thread.is_alive():
            stopped = cancelled is not None and cancelled()
            if stopped or time.monotonic() > end:
                self._process.kill()
                thread.join()
                if stopped:
                    raise DecodingCancelled
            thread.join(_POLL_SECONDS)
        if not answers and not self._ready:
            raise RuntimeError("The process that decodes images does not start.")
        return answers[0] if answers else None

    def _exchange(self, header: bytes, data: bytes, answers: list[tuple[dict, np.ndarray]]) -> None:
        requests, replies = self._process.stdin, self._process.stdout
        assert requests and isinstance(replies, io.BufferedReader)
        try:
            self._ready = self._ready or replies.read(1) == b"\0"
            requests.write(header)
            requests.write(data)
            requests.flush()
            text_size, size = ANSWER.unpack(replies.read(ANSWER.size))
            if text_size > 1 << 16 or size > MAX_PIXELS:
                return
            facts = json.loads(replies.read(text_size))
            pixels = np.empty(size, np.uint8)
            if replies.readinto(pixels.data) == size:
                answers.append((facts, pixels))
        except (OSError, ValueError, struct.error):
            return  # the process has ended

    def runs(self) -> bool:
        """Whether the process is still there; a system short of memory may have ended it."""
        return self._process.poll() is None

    def stop(self) -> int:
        """End the process and return its exit code; negative for the signal that ended it."""
        self._process.kill()
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            with contextlib.suppress(OSError):
                pipe.close()
        return code


def _checked(facts: dict, pixels: np.ndarray, kind: str) -> Decoded:
    """An answer, held to what a sound worker says: a taken-over one must not mislead the reader."""
    try:
        if "code" in facts:
            values = {
                str(name): value if isinstance(value, int) else str(value)[:60]
                for name, value in facts["values"].items()
            }
            raise UnreadableImage(facts["code"], facts["status"], **values)
        height, width = facts["shape"]
        check_size(width, height)
        notes = tuple(NOTES[code] for code in facts["notes"])
        return pixels.reshape(height, width), str(facts["source"])[:60], notes
    except UnreadableImage:
        raise
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UnreadableImage("damaged", kind=kind) from None
