"""The process that decodes image files to grey pixels under hard limits (see `sandbox.py`).

    python -m pneumo.imaging.worker MEMORY_BYTES

A file that keeps a decoder busy, floods memory or crashes it ends this process and nothing else.
"""

import json
import os
import sys
from typing import Any

import numpy as np

from pneumo.imaging.dicom import decode_dicom
from pneumo.imaging.messages import UnreadableImage
from pneumo.imaging.pictures import decode_picture
from pneumo.imaging.sandbox import ANSWER, REQUEST


def decode(data: bytes, kind: str) -> tuple[np.ndarray, str, list[str]]:
    """Decode a file of a kind, as `precheck.kind_of` gives it, in this process, without any limit.

    Returns grey pixels (uint8, (H, W), upright, bones bright), how they were stored, and codes of
    `messages.NOTES`; raises UnreadableImage alone, whatever the file.
    """
    try:
        decoded = decode_dicom(data) if kind == "DICOM" else decode_picture(data, kind)
        return np.require(decoded[0], np.uint8, ("C", "W")), *decoded[1:]
    except UnreadableImage:
        raise
    except MemoryError:
        raise UnreadableImage("memory", "refused", kind=kind) from None
    except Exception as error:
        # Decoders raise many kinds of exception on damaged files; their messages can quote the
        # file, so none is passed on.
        if "Insufficient memory" in str(error):  # as OpenCV says it
            raise UnreadableImage("memory", "refused", kind=kind) from None
        raise UnreadableImage("damaged", kind=kind) from None


def main() -> None:
    """Answer requests until standard input ends."""
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    # Whatever a library prints must not get among the answers.
    os.dup2(2, 1)
    _limit_memory(int(sys.argv[1]))
    answers.write(b"\0")
    while header := requests.read(REQUEST.size):
        kind, seconds, size = REQUEST.unpack(header)
        facts: dict[str, Any]
        pixels = b""
        try:
            _limit_seconds(seconds)
            array, source, notes = decode(requests.read(size), kind.decode().strip("\0"))
            facts = {"shape": array.shape, "source": source, "notes": notes}
            pixels = array.tobytes()
            del array
        except UnreadableImage as error:
            facts = {"code": error.code, "status": error.status, "values": error.values}
        _limit_seconds(0)
        text = json.dumps(facts).encode()
        for part in (ANSWER.pack(len(text), len(pixels)), text, pixels):
            left = memoryview(part)
            while left:
                left = left[answers.write(left) :]


def _limit_memory(size: int) -> None:
    """Cap the address space at what is mapped now and so many bytes more, where a system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    try:
        with open("/proc/self/statm") as stream:
            mapped = int(stream.read().split()[0]) * resource.getpagesize()
    except OSError:
        mapped = 1 << 29
    resource.setrlimit(resource.RLIMIT_AS, (mapped + size, mapped + size))
    # It writes no file, and leaves no picture of its memory when it crashes.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_seconds(seconds: float) -> None:
    """End this process by SIGPROF after so many seconds of processor time; 0 lifts the limit."""
    import signal

    if hasattr(signal, "setitimer"):  # not on Windows, where the caller's clock has to do
        signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    main()
