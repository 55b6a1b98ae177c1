"""A team of processes: it makes what one makes, passes on what went wrong, and leaves nobody."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pneumo.training import team as module
from pneumo.training.team import Team, TeamError, can_fork

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(not can_fork(), reason="processes cannot be forked here")


def made(places, size: int) -> list:
    """For each place who made it, an array with its number, and its mirror image or nothing."""
    field = np.arange(size, dtype=np.int16)
    return [(os.getpid(), field + place, (field + place)[::-1] if place % 2 else None)
            for place in places]


def broken(places) -> list:
    if 3 in places:
        raise ValueError("The fourth film is broken.")
    return list(places)


def asleep(places) -> list:
    if places[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return list(places)


class Odd(Exception):
    """Cannot be pickled and back."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__("two words")


def odd(places) -> list:
    if places[0]:
        raise Odd(1, 2)
    return list(places)


@pytest.fixture
def team():
    started = []

    def start(make, helpers: int = 1) -> Team:
        started.append(Team(make, helpers))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.mark.parametrize("helpers", [1, 2])
@pytest.mark.parametrize("space", [2**20, 100])
def test_a_team_makes_what_one_makes(team, monkeypatch, helpers, space):
    monkeypatch.setattr(module, "SPACE", space)  # in 100 bytes no array finds room
    several = team(made, helpers)
    for size in (5, 400):
        found, alone = several(range(7), size), made(range(7), size)
        assert len({who for who, *_ in found}) == helpers + 1
        for (_, one, mirrored), (_, expected, other) in zip(found, alone, strict=True):
            assert np.array_equal(one, expected)
            assert (mirrored is None) == (other is None)
            assert other is None or np.array_equal(mirrored, other)
    assert len(several(range(1), 5)) == 1 and several(range(0), 5) == []


def test_what_goes_wrong_in_a_helper_is_raised_here_and_it_goes_on(team):
    three = team(broken, 2)
    for first in (3, 1, -1):  # its own part, that of the first helper, that of the second
        with pytest.raises(ValueError, match="fourth film"):
            three(range(first, first + 6))
        assert three(range(4, 8)) == [4, 5, 6, 7]


def test_a_helper_that_was_killed_is_told_in_a_sentence(team):
    with pytest.raises(TeamError, match=r"has ended .exit code -9.*--resume"):
        team(asleep)(range(4))


def test_helpers_end_with_their_team():
    two = Team(made, 2)
    others = {who for who, *_ in two(range(6), 3)} - {os.getpid()}
    assert len(others) == 2 and all(Path(f"/proc/{who}").exists() for who in others)
    del two
    gc.collect()
    assert not any(Path(f"/proc/{who}").exists() for who in others)


def test_helpers_end_with_a_process_that_was_killed():
    ask = ("import os, time; from tests.unit.training.test_team import made; "
           "from pneumo.training.team import Team; team = Team(made, 2); "
           "print(*{who for who, *_ in team(range(6), 3)}, flush=True); time.sleep(60)")
    with subprocess.Popen([sys.executable, "-c", ask], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE) as run:
        everyone = run.stdout.readline().split()
        run.kill()
    assert len(everyone) == 3
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{who}").exists() for who in everyone) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{who}").exists() for who in everyone)


def test_helpers_hold_no_pipe_of_the_process_they_come_from(team):
    reading, writing = os.pipe()
    two = team(made, 2)
    assert len({who for who, *_ in two(range(6), 3)}) == 3
    os.close(writing)
    assert os.read(reading, 1) == b""  # the end, with the helpers alive; else this never returns
    os.close(reading)
    assert len(two(range(6), 3)) == 6


def test_an_error_that_cannot_travel_says_what_it_was(team):
    with pytest.raises(RuntimeError, match="Odd"):
        team(odd)(range(4))
