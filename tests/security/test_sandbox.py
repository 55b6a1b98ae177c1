"""Decoding processes: held to their limits, killable, replaced, and apart from the server."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest

from pneumo.imaging.messages import DecodingCancelled, UnreadableImage
from pneumo.imaging.sandbox import Limits, Sandbox
from tests.unit.imaging.files import chest, dicom, dicom_bytes, picture

IMAGE = chest()
PNG = picture(IMAGE, "PNG")

posix = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system has no such signals")
limited = pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's")


@pytest.fixture
def box() -> Iterator[Sandbox]:
    made = Sandbox(size=1)
    yield made
    made.close()


def workers() -> set[int]:
    """The decoding processes of this process."""
    return {
        child.pid
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "pneumo.imaging.worker" in child.cmdline()
    }


def started(box: Sandbox) -> int:
    """The decoding process that a sandbox starts for its first image."""
    before = workers()
    box.decode(PNG)
    (pid,) = workers() - before
    return pid


class Sender:
    """One who waits for an image: known to wait once asked, and gone once it is to leave."""

    def __init__(self) -> None:
        self.waits, self.leaves = threading.Event(), threading.Event()

    def left(self) -> bool:
        self.waits.set()
        return self.leaves.is_set()


def refused(box: Sandbox, data: bytes, sender: Sender | None = None) -> UnreadableImage:
    with pytest.raises(UnreadableImage) as caught:
        box.decode(data, sender and sender.left)
    return caught.value


@limited
def test_a_worker_is_used_again_also_after_one_image_took_too_much_memory(box: Sandbox) -> None:
    box.limits = Limits(memory=40 << 20)
    pid = started(box)
    pixels, source, notes = box.decode(PNG)
    np.testing.assert_array_equal(pixels, IMAGE)
    assert (source, notes) == ("PNG 8-bit grey", ()) and pixels.flags.writeable
    assert refused(box, PNG[:200]).code == "damaged"
    error = refused(box, picture(np.zeros((8000, 8000), np.uint8), "PNG"))
    assert (error.code, error.status) == ("memory", "refused")
    np.testing.assert_array_equal(box.decode(PNG)[0], IMAGE)
    assert pid in workers()


@limited
@pytest.mark.parametrize("kind", ["picture", "DICOM"])
def test_processor_time_is_limited(box: Sandbox, kind: str) -> None:
    box.limits = Limits(picture_seconds=0.03, dicom_seconds=0.03)
    large = np.tile(chest(500, 500), (6, 6))
    slow = picture(large, "JPEG", progressive=True)
    if kind == "DICOM":
        slow = dicom_bytes(dicom(large.astype(np.uint16) * 16, bits=12), "1.2.840.10008.1.2.1.99")
    error = refused(box, slow)
    assert (error.code, error.status) == ("time", "refused")


@posix
def test_one_that_hangs_blocks_nobody_and_is_killed_when_its_sender_leaves() -> None:
    box, sender = Sandbox(size=2), Sender()
    hanging = started(box)
    os.kill(hanging, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(box.decode, PNG, sender.left)
        assert sender.waits.wait(60)
        np.testing.assert_array_equal(box.decode(PNG)[0], IMAGE)  # by another worker
        assert not waiting.done()
        sender.leaves.set()
        with pytest.raises(DecodingCancelled):
            waiting.result()
    assert hanging not in workers()
    box.close()


@posix
@pytest.mark.parametrize(("seconds", "code"), [(0.3, "time"), (60, "damaged")])
def test_one_that_only_waits_or_dies_is_answered_and_replaced(
    box: Sandbox, seconds: float, code: str
) -> None:
    hanging, sender = started(box), Sender()
    box.limits = Limits(wall_seconds=seconds)
    os.kill(hanging, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(refused, box, PNG, sender)
        assert sender.waits.wait(60)
        if code == "damaged":
            os.kill(hanging, signal.SIGKILL)
        assert waiting.result().code == code
    box.limits = Limits()
    np.testing.assert_array_equal(box.decode(PNG)[0], IMAGE)
    assert hanging not in workers()


@limited
def test_a_worker_has_no_secrets_and_writes_no_file_and_a_dead_one_is_not_asked(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    process = psutil.Process(started(box))
    assert "HF_TOKEN" not in process.environ()
    assert process.rlimit(psutil.RLIMIT_FSIZE) == process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    mapped, limit = process.memory_info().vms, process.rlimit(psutil.RLIMIT_AS)[0]
    assert limit - mapped < (1 << 30) + (1 << 26)
    process.kill()
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        pass
    np.testing.assert_array_equal(box.decode(PNG)[0], IMAGE)


def test_workers_start_without_torch_and_end_with_the_program() -> None:
    code = (
        "import psutil, sys, pneumo.imaging.worker; assert 'torch' not in sys.modules;"
        "from pneumo.imaging.radiograph import read_radiograph, sandbox;"
        "sandbox().start(); read_radiograph(sys.stdin.buffer.read());"
        "print(*[child.pid for child in psutil.Process().children()])"
    )
    done = subprocess.run([sys.executable, "-c", code], input=PNG, capture_output=True)
    assert done.returncode == 0 and not done.stderr and done.stdout.split()
    for pid in map(int, done.stdout.split()):
        assert not psutil.pid_exists(pid) or "worker" not in " ".join(psutil.Process(pid).cmdline())
