"""Any image file to a Radiograph: opened with care, decoded in a sandbox, held to the limits."""

import atexit
import os
import stat
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pneumo.files import cores
from pneumo.imaging.messages import DecodingCancelled, UnreadableImage
from pneumo.imaging.precheck import MAX_BYTES, MAX_PIXELS, check_bytes
from pneumo.imaging.sandbox import Cancelled, Sandbox

__all__ = ["MAX_BYTES", "MAX_PIXELS", "DecodingCancelled", "Radiograph", "UnreadableImage"]

_sandbox: Sandbox | None = None
_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One radiograph as grey pixels, free of everything else its file held.

    The pixels are uint8 (H, W), bones bright; `source` is how it was stored, for example
    ``"PNG 16-bit grey"``; `notes` are sentences about what was done to it on the way.
    """

    pixels: np.ndarray
    source: str
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 2 or not self.pixels.size:
            raise ValueError("A radiograph's pixels are a non-empty uint8 array, height x width.")


def read_radiograph(file: str | Path | bytes, *, cancelled: Cancelled = None) -> Radiograph:
    """Read a radiograph from a path or a file's bytes; may be called from any thread.

    Raises:
        UnreadableImage: Whatever is wrong with the file; nothing else is raised for any file.
        DecodingCancelled: `cancelled`, which is asked some times a second, said True.
    """
    data = file if isinstance(file, bytes) else _read_bytes(file)
    if not data:
        raise UnreadableImage("empty")
    check_bytes(len(data))
    return Radiograph(*sandbox().decode(data, cancelled))


def sandbox() -> Sandbox:
    """The decoding processes of this process; `start` has them ready before the first file."""
    global _sandbox
    with _lock:
        if _sandbox is None:
            _sandbox = Sandbox(size=min(max(cores(), 2), 4))
            atexit.register(_sandbox.close)
        return _sandbox


def _forget_sandbox() -> None:
    """In a forked process: its parent's workers answer the parent alone."""
    global _sandbox, _lock
    _sandbox, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_sandbox)


def _read_bytes(path: str | Path) -> bytes:
    """The contents of a regular file; never waits on a pipe or reads a device without end."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        info = os.stat(path)
        if stat.S_ISDIR(info.st_mode):
            raise UnreadableImage("folder")
        if not stat.S_ISREG(info.st_mode):
            raise UnreadableImage("device", "refused")
        check_bytes(info.st_size)
        with os.fdopen(os.open(path, flags), "rb") as stream:
            # What lies there may have been exchanged since it was looked at.
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise UnreadableImage("device", "refused")
            return stream.read(MAX_BYTES + 1)
    except UnreadableImage:
        raise
    except FileNotFoundError:
        raise UnreadableImage("missing") from None
    except PermissionError:
        raise UnreadableImage("permission") from None
    except (OSError, ValueError, TypeError):
        raise UnreadableImage("unopenable") from None
