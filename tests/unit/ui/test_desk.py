"""The desk: one reading a film and model, overtaken films dropped, old films forgotten."""

import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from pneumo.imaging.radiograph import UnreadableFilm, read_radiograph
from pneumo.reading.reader import Reading
from pneumo.ui import desk as desk_module
from pneumo.ui.desk import Desk, Forgotten, Superseded


class CountingReader:
    """Stands in for a network: counts and answers the film's mean grey."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0

    def read_radiograph(self, radiograph, guard=None) -> Reading:
        self.count += 1
        return Reading(radiograph.source, self.name, "0" * 64, "ok",
                       probability=float(radiograph.pixels.mean()) / 255)


class Clock:
    """Time that a test moves by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def film_bytes(grey: int = 100, side: int = 64) -> bytes:
    picture = np.full((side, side), grey, np.uint8)
    picture[::2] += 20
    return cv2.imencode(".png", picture)[1].tobytes()


def test_a_film_is_read_once_by_each_model():
    desk = Desk(CountingReader)
    film = desk.take_in(film_bytes())
    first = desk.read(film, "a")
    assert desk.read(desk.fetch(film.token), "a") is first
    assert desk.read(film, "b").model == "b"
    assert desk.reader("a").count == 1
    assert desk.read(film, "a", guard=False) is not first
    assert desk.reader("a").count == 2
    assert first.seconds >= film.seconds


def test_a_film_that_is_long_to_decode_holds_up_no_other(monkeypatch):
    desk, decoding, go = Desk(CountingReader), threading.Event(), threading.Event()
    film = desk.take_in(film_bytes())

    def slow(data: bytes):
        decoding.set()
        assert go.wait(20)
        return read_radiograph(data)

    monkeypatch.setattr(desk_module, "read_radiograph", slow)
    with ThreadPoolExecutor(2) as threads:
        late = threads.submit(desk.read_once, film_bytes(), "a")
        assert decoding.wait(20)
        try:
            assert threads.submit(desk.read, film, "a").result(20).ok
            assert not late.done()
        finally:
            go.set()
        radiograph, reading = late.result(20)
    assert reading.ok and radiograph is not None


def test_an_overtaken_film_is_not_read():
    desk = Desk(CountingReader)
    desk.announce("page", 1)
    film = desk.take_in(film_bytes(), "page", 1)
    desk.announce("page", 2)
    with pytest.raises(Superseded):
        desk.read(film, "a", "page", 1)
    with pytest.raises(Superseded):
        desk.take_in(film_bytes(), "page", 1)
    assert desk.read(film, "a", "other page", 1).ok
    assert desk.read(film, "b", "page", 2).ok


def test_a_late_announcement_of_an_older_turn_changes_nothing():
    desk = Desk(CountingReader)
    desk.announce("page", 5)
    desk.announce("page", 4)
    with pytest.raises(Superseded):
        desk.take_in(film_bytes(), "page", 4)


def test_films_are_forgotten_after_a_while():
    clock = Clock()
    desk = Desk(CountingReader, clock)
    film = desk.take_in(film_bytes())
    clock.now = desk_module.KEEP_SECONDS - 1
    desk.fetch(film.token)
    clock.now += desk_module.KEEP_SECONDS - 1
    desk.fetch(film.token)
    clock.now += desk_module.KEEP_SECONDS + 1
    with pytest.raises(Forgotten):
        desk.fetch(film.token)


def test_the_films_longest_untouched_go_first_when_memory_is_short(monkeypatch):
    monkeypatch.setattr(desk_module, "KEEP_BYTES", 2 * 64 * 64)
    desk = Desk(CountingReader)
    first, second = desk.take_in(film_bytes()), desk.take_in(film_bytes())
    desk.fetch(first.token)
    desk.take_in(film_bytes())
    desk.fetch(first.token)
    with pytest.raises(Forgotten):
        desk.fetch(second.token)


def test_one_film_larger_than_all_memory_is_still_kept(monkeypatch):
    monkeypatch.setattr(desk_module, "KEEP_BYTES", 10)
    desk = Desk(CountingReader)
    film = desk.take_in(film_bytes())
    assert desk.fetch(film.token) is film


def test_an_unreadable_film_leaves_nothing_behind():
    desk = Desk(CountingReader)
    with pytest.raises(UnreadableFilm):
        desk.take_in(b"no film")
    with pytest.raises(Forgotten):
        desk.fetch("")
