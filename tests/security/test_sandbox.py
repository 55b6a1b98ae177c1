"""Decoding processes: held to their limits, killable, replaced, and apart from the server."""

import multiprocessing
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

from pneumo.imaging import radiograph
from pneumo.imaging.messages import DecodingCancelled, UnreadableImage
from pneumo.imaging.sandbox import Limits, Sandbox
from tests.unit.imaging.files import chest, dicom, dicom_bytes, picture

IMAGE = chest()
PNG = picture(IMAGE, "PNG")

posix = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system has no such signals")
limited = pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's")


@pytest.fixture
def box() -> Iterator[Sandbox]:
    made = Sandbox(size=2)
    yield made
    made.close()


def workers() -> dict[int, psutil.Process]:
    """The decoding processes of this process."""
    return {
        child.pid: child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "pneumo.imaging.worker" in child.cmdline()
    }


class Sender:
    """One who waits for an image: known to wait once asked, and gone once told to leave."""

    def __init__(self) -> None:
        self.waits, self._left = threading.Event(), threading.Event()

    def leave(self) -> None:
        self._left.set()

    def left(self) -> bool:
        self.waits.set()
        return self._left.is_set()


def refused(box: Sandbox, data: bytes, sender: Sender | None = None) -> UnreadableImage:
    with pytest.raises(UnreadableImage) as caught:
        box.decode(data, sender and sender.left)
    return caught.value


def test_a_worker_is_used_again(box: Sandbox) -> None:
    before = workers().keys()
    for _ in range(5):
        pixels, source, notes = box.decode(PNG)
        np.testing.assert_array_equal(pixels, IMAGE)
        assert (source, notes) == ("PNG 8-bit grey", ()) and pixels.flags.writeable
    assert refused(box, PNG[:200]).code == "damaged"
    assert len(workers().keys() - before) == 1


def test_many_threads_each_get_their_own_image(box: Sandbox) -> None:
    images = [chest(40 + n, 50, seed=n) for n in range(24)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda image: box.decode(picture(image, "PNG"))[0], images))
    for image, answer in zip(images, answers, strict=True):
        np.testing.assert_array_equal(answer, image)


@limited
@pytest.mark.parametrize("kind", ["picture", "DICOM"])
def test_processor_time_is_limited(kind: str) -> None:
    box = Sandbox(1, Limits(picture_seconds=0.03, dicom_seconds=0.03))
    large = np.tile(chest(500, 500), (6, 6))
    slow = picture(large, "JPEG", progressive=True)
    if kind == "DICOM":
        slow = dicom_bytes(dicom(large.astype(np.uint16) * 16, bits=12), "1.2.840.10008.1.2.1.99")
    error = refused(box, slow)
    assert (error.code, error.status) == ("time", "refused")
    # A small one is not touched by what the large one used.
    small = Sandbox(1, Limits(picture_seconds=1.0))
    for _ in range(3):
        small.decode(PNG)
    box.close()
    small.close()


@limited
def test_memory_is_limited_and_the_worker_goes_on() -> None:
    box = Sandbox(1, Limits(memory=40 << 20))
    box.decode(PNG)
    before = workers().keys()
    error = refused(box, picture(np.zeros((8000, 8000), np.uint8), "PNG"))
    assert (error.code, error.status) == ("memory", "refused")
    np.testing.assert_array_equal(box.decode(PNG)[0], IMAGE)
    assert workers().keys() == before
    box.close()


@posix
def test_one_that_hangs_blocks_nobody_and_is_killed_when_its_sender_leaves(box: Sandbox) -> None:
    before = workers().keys()
    box.decode(PNG)
    (hanging,) = workers().keys() - before
    os.kill(hanging, signal.SIGSTOP)
    sender = Sender()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(box.decode, PNG, sender.left)
        assert sender.waits.wait(60)
        np.testing.assert_array_equal(box.decode(PNG)[0], IMAGE)  # by another worker
        assert not waiting.done()
        sender.leave()
        with pytest.raises(DecodingCancelled):
            waiting.result()
    assert hanging not in workers()


@posix
def test_who_waits_for_a_free_worker_can_leave_too() -> None:
    box = Sandbox(1)
    before = workers().keys()
    box.decode(PNG)
    (hanging,) = workers().keys() - before
    os.kill(hanging, signal.SIGSTOP)
    senders = Sender(), Sender()
    with ThreadPoolExecutor(2) as pool:
        answers = []
        for sender in senders:
            answers.append(pool.submit(box.decode, PNG, sender.left))
            assert sender.waits.wait(60)
        for sender, waiting in zip(reversed(senders), reversed(answers), strict=True):
            sender.leave()
            with pytest.raises(DecodingCancelled):
                waiting.result()
    np.testing.assert_array_equal(box.decode(PNG)[0], IMAGE)
    box.close()


@posix
@pytest.mark.parametrize(("wall_seconds", "code"), [(0.3, "time"), (60, "damaged")])
def test_one_that_only_waits_or_dies_is_answered_and_replaced(
    wall_seconds: float, code: str
) -> None:
    box = Sandbox(1)
    before = workers().keys()
    box.decode(PNG)
    (hanging,) = workers().keys() - before
    box.limits = Limits(wall_seconds=wall_seconds)
    os.kill(hanging, signal.SIGSTOP)
    sender = Sender()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(refused, box, PNG, sender)
        assert sender.waits.wait(60)
        if code == "damaged":
            os.kill(hanging, signal.SIGKILL)
        assert waiting.result().code == code
    box.limits = Limits()
    np.testing.assert_array_equal(box.decode(PNG)[0], IMAGE)
    assert hanging not in workers()
    box.close()


@posix
def test_one_that_was_killed_while_idle_is_not_asked(box: Sandbox) -> None:
    before = workers().keys()
    box.decode(PNG)
    (idle,) = workers().keys() - before
    process = psutil.Process(idle)
    process.kill()
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        pass
    np.testing.assert_array_equal(box.decode(PNG)[0], IMAGE)


@limited
def test_a_worker_has_no_secrets_and_writes_no_file(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    before = workers().keys()
    box.decode(PNG)
    (pid,) = workers().keys() - before
    process = psutil.Process(pid)
    assert "HF_TOKEN" not in process.environ()
    assert process.rlimit(psutil.RLIMIT_FSIZE) == process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    mapped, limit = process.memory_info().vms, process.rlimit(psutil.RLIMIT_AS)[0]
    assert limit - mapped < (1 << 30) + (1 << 26)


def test_a_worker_starts_without_torch() -> None:
    code = "import sys, pneumo.imaging.worker; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def _read_in_child(answers: multiprocessing.Queue) -> None:
    answers.put(radiograph.read_radiograph(PNG).pixels.shape)
    radiograph.sandbox().close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_does_not_speak_to_its_parents_workers() -> None:
    radiograph.read_radiograph(PNG)
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    children = [context.Process(target=_read_in_child, args=(answers,)) for _ in range(2)]
    for child in children:
        child.start()
    radiograph.read_radiograph(PNG)
    assert [answers.get(timeout=60) for _ in children] == [IMAGE.shape] * 2
    for child in children:
        child.join()


def test_workers_end_with_the_program() -> None:
    code = (
        "import psutil, sys; from pneumo.imaging.radiograph import read_radiograph, sandbox;"
        "sandbox().start(); read_radiograph(sys.stdin.buffer.read());"
        "print(*[child.pid for child in psutil.Process().children()])"
    )
    done = subprocess.run([sys.executable, "-c", code], input=PNG, capture_output=True, check=True)
    assert not done.stderr
    for pid in map(int, done.stdout.split()):
        assert not psutil.pid_exists(pid) or "worker" not in " ".join(psutil.Process(pid).cmdline())
