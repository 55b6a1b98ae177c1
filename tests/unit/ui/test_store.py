"""The store: one reading an image and model, overtaken images dropped, old ones forgotten."""

import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from pneumo.imaging.radiograph import UnreadableImage, read_radiograph
from pneumo.reading.reader import Reading
from pneumo.ui import store as module
from pneumo.ui.store import Forgotten, ImageStore, Superseded, sender_gone


class CountingReader:
    """Stands in for a network: counts, and gives the image's mean grey."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0

    def read_radiograph(self, radiograph, input_check=None) -> Reading:
        self.count += 1
        balanced = float(radiograph.pixels.mean()) / 255
        return Reading(radiograph.source, self.name, "0" * 64, "ok", balanced=balanced)


class Clock:
    """Time that a test moves by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def image_bytes(grey: int = 100, side: int = 64) -> bytes:
    picture = np.full((side, side), grey, np.uint8)
    picture[::2] += 20
    return cv2.imencode(".png", picture)[1].tobytes()


def test_a_image_is_read_once_by_each_model():
    store = ImageStore(CountingReader)
    image = store.put(image_bytes())
    first = store.read(image, "a")
    assert store.read(store.get(image.token), "a") is first
    assert store.read(image, "b").model == "b"
    assert store.reader("a").count == 1
    assert store.read(image, "a", check=False) is not first
    assert store.reader("a").count == 2
    assert first.seconds >= image.seconds


def test_a_image_that_is_long_to_decode_holds_up_no_other(monkeypatch):
    store, decoding, go = ImageStore(CountingReader), threading.Event(), threading.Event()
    image = store.put(image_bytes())

    def slow(data: bytes, cancelled):
        decoding.set()
        assert go.wait(20)
        return read_radiograph(data)

    monkeypatch.setattr(module, "read_radiograph", slow)
    with ThreadPoolExecutor(2) as threads:
        late = threads.submit(store.put, image_bytes())
        assert decoding.wait(20)
        try:
            assert threads.submit(store.read, image, "a").result(20).ok
            assert not late.done()
        finally:
            go.set()
        assert late.result(20).token


def test_an_overtaken_image_is_not_read():
    store = ImageStore(CountingReader)
    store.announce("page", 1)
    image = store.put(image_bytes(), "page", 1)
    store.announce("page", 2)
    with pytest.raises(Superseded):
        store.read(image, "a", "page", 1)
    with pytest.raises(Superseded):
        store.put(image_bytes(), "page", 1)
    assert store.read(image, "a", "other page", 1).ok
    assert store.read(image, "b", "page", 2).ok


def test_an_image_whose_sender_has_gone_is_not_decoded():
    gone = threading.Event()
    token = sender_gone.set(gone)
    try:
        store = ImageStore(CountingReader)
        image = store.put(image_bytes())
        gone.set()
        with pytest.raises(Superseded):
            store.put(image_bytes())
        with pytest.raises(Superseded):
            store.read(image, "a")
    finally:
        sender_gone.reset(token)


def test_a_late_announcement_of_an_older_turn_changes_nothing():
    store = ImageStore(CountingReader)
    store.announce("page", 5)
    store.announce("page", 4)
    with pytest.raises(Superseded):
        store.put(image_bytes(), "page", 4)


def test_images_are_forgotten_after_a_while():
    clock = Clock()
    store = ImageStore(CountingReader, clock)
    image = store.put(image_bytes())
    clock.now = module.KEEP_SECONDS - 1
    store.get(image.token)
    clock.now += module.KEEP_SECONDS - 1
    store.get(image.token)
    clock.now += module.KEEP_SECONDS + 1
    with pytest.raises(Forgotten):
        store.get(image.token)


def test_the_images_longest_untouched_go_first_when_memory_is_short(monkeypatch):
    monkeypatch.setattr(module, "KEEP_BYTES", 2 * 64 * 64)
    store = ImageStore(CountingReader)
    first, second = store.put(image_bytes()), store.put(image_bytes())
    store.get(first.token)
    store.put(image_bytes())
    store.get(first.token)
    with pytest.raises(Forgotten):
        store.get(second.token)


def test_one_image_larger_than_all_memory_is_still_kept(monkeypatch):
    monkeypatch.setattr(module, "KEEP_BYTES", 10)
    store = ImageStore(CountingReader)
    image = store.put(image_bytes())
    assert store.get(image.token) is image


def test_an_unreadable_image_leaves_nothing_behind():
    store = ImageStore(CountingReader)
    with pytest.raises(UnreadableImage):
        store.put(b"no image")
    with pytest.raises(Forgotten):
        store.get("")
