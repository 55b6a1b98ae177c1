"""The thread limiter: never more threads than there are, in turn, given back whatever happens."""

import random
import threading
import time

import pytest
import torch

from pneumo.ui.threads import ThreadLimiter


@pytest.fixture(autouse=True)
def _torch_as_it_was():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_torch_uses_what_it_was_given():
    limiter = ThreadLimiter(2)
    with limiter.limited() as threads:
        assert torch.get_num_threads() == threads == 2
    with limiter.limited(half=True) as threads:
        assert torch.get_num_threads() == threads == 1


def test_the_limit_of_one_thread_leaves_the_others_as_they_are():
    with ThreadLimiter(2).limited():
        other = threading.Thread(target=lambda: ThreadLimiter(3).limited().__enter__())
        other.start()
        other.join(20)
        assert torch.get_num_threads() == 2


def test_half_of_one_thread_is_one():
    with ThreadLimiter(1).limited(half=True) as threads:
        assert threads == 1


def test_two_halves_are_given_at_once():
    limiter, both = ThreadLimiter(4), threading.Barrier(2, timeout=20)

    def half() -> None:
        with limiter.limited(half=True) as threads:
            assert threads == 2
            both.wait()

    other = threading.Thread(target=half)
    other.start()
    half()
    other.join()
    assert not both.broken


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_never_more_than_there_are(threads: int):
    limiter, lock = ThreadLimiter(threads), threading.Lock()
    out, most, served = 0, 0, 0
    rng = random.Random(threads)

    def borrow(half: bool, seconds: float) -> None:
        nonlocal out, most, served
        with limiter.limited(half) as lent:
            with lock:
                out += lent
                most = max(most, out)
            time.sleep(seconds)
            with lock:
                out -= lent
                served += 1

    borrowers = [
        threading.Thread(target=borrow, args=(rng.random() < 0.7, rng.random() / 200))
        for _ in range(40)
    ]
    for borrower in borrowers:
        borrower.start()
    for borrower in borrowers:
        borrower.join(30)
    assert served == 40
    assert most <= threads


def test_an_image_of_its_own_waits_behind_no_later_images_of_many():
    limiter, order = ThreadLimiter(2), []

    def borrow(name: str, half: bool) -> None:
        with limiter.limited(half):
            order.append(name)
            time.sleep(0.05)

    waiting = []
    with limiter.limited(half=True):
        for name, half in (("alone", False), ("many", True)):
            waiting.append(threading.Thread(target=borrow, args=(name, half)))
            waiting[-1].start()
            while len(limiter._queue) < len(waiting):
                time.sleep(0.001)
    for thread in waiting:
        thread.join(20)
    assert order == ["alone", "many"]


def test_an_error_gives_the_threads_back():
    limiter = ThreadLimiter(2)
    with pytest.raises(ZeroDivisionError), limiter.limited():
        raise ZeroDivisionError
    with limiter.limited() as threads:
        assert threads == 2
