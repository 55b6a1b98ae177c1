"""The thread limiter: never more threads than there are, in turn, given back whatever happens."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from pneumo.ui.threads import ThreadLimiter


@pytest.fixture(autouse=True)
def _torch_as_it_was():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_torch_uses_what_it_was_given_and_other_threads_are_left_alone():
    limiter = ThreadLimiter(2)
    with pytest.raises(ZeroDivisionError), limiter.limited():
        raise ZeroDivisionError
    with limiter.limited() as threads:
        other = threading.Thread(target=lambda: ThreadLimiter(3).limited().__enter__())
        other.start()
        other.join(20)
        assert torch.get_num_threads() == threads == 2, "an error has given both back"
    for available in (1, 2):
        with ThreadLimiter(available).limited(half=True) as threads:
            assert torch.get_num_threads() == threads == 1


def test_never_more_than_there_are():
    limiter, lock = ThreadLimiter(5), threading.Lock()
    given, most = [], []

    def borrow(half: bool) -> None:
        with limiter.limited(half) as threads:
            with lock:
                given.append(threads)
                most.append(sum(given))
            time.sleep(0.002)
            with lock:
                given.remove(threads)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(borrow, [True, False, True, True] * 5))
    assert max(most) <= 5 and len(most) == 20 and 4 in most, "two halves at once, and no more"
