"""The cores: never more threads lent than there are, in turn, and given back whatever happens."""

import random
import threading
import time

import pytest
import torch

from pneumo.ui.cores import Cores


@pytest.fixture(autouse=True)
def _torch_as_it_was():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_torch_uses_what_was_lent():
    cores = Cores(2)
    with cores.lent() as threads:
        assert torch.get_num_threads() == threads == 2
    with cores.lent(half=True) as threads:
        assert torch.get_num_threads() == threads == 1


def test_what_one_thread_was_lent_leaves_the_others_as_they_are():
    with Cores(2).lent():
        other = threading.Thread(target=lambda: Cores(3).lent().__enter__())
        other.start()
        other.join(20)
        assert torch.get_num_threads() == 2


def test_one_core_is_lent_whole():
    with Cores(1).lent(half=True) as threads:
        assert threads == 1


def test_two_halves_are_lent_at_once():
    cores, both = Cores(4), threading.Barrier(2, timeout=20)

    def half() -> None:
        with cores.lent(half=True) as threads:
            assert threads == 2
            both.wait()

    other = threading.Thread(target=half)
    other.start()
    half()
    other.join()
    assert not both.broken


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_never_more_than_there_are(threads: int):
    cores, lock = Cores(threads), threading.Lock()
    out, most, served = 0, 0, 0
    rng = random.Random(threads)

    def borrow(half: bool, seconds: float) -> None:
        nonlocal out, most, served
        with cores.lent(half) as lent:
            with lock:
                out += lent
                most = max(most, out)
            time.sleep(seconds)
            with lock:
                out -= lent
                served += 1

    borrowers = [threading.Thread(target=borrow, args=(rng.random() < 0.7, rng.random() / 200))
                 for _ in range(40)]
    for borrower in borrowers:
        borrower.start()
    for borrower in borrowers:
        borrower.join(30)
    assert served == 40
    assert most <= threads


def test_a_film_of_its_own_waits_behind_no_later_films_of_many():
    cores, order = Cores(2), []

    def borrow(name: str, half: bool) -> None:
        with cores.lent(half):
            order.append(name)
            time.sleep(0.05)

    waiting = []
    with cores.lent(half=True):
        for name, half in (("alone", False), ("many", True)):
            waiting.append(threading.Thread(target=borrow, args=(name, half)))
            waiting[-1].start()
            while len(cores._queue) < len(waiting):
                time.sleep(0.001)
    for thread in waiting:
        thread.join(20)
    assert order == ["alone", "many"]


def test_an_error_gives_the_threads_back():
    cores = Cores(2)
    with pytest.raises(ZeroDivisionError), cores.lent():
        raise ZeroDivisionError
    with cores.lent() as threads:
        assert threads == 2
