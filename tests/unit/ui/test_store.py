"""The store: one reading an image and model, overtaken images dropped, old ones forgotten."""

import threading

import cv2
import numpy as np
import pytest

from pneumo.reading.reader import Reading
from pneumo.ui.store import ImageStore, Superseded, sender_gone


class CountingReader:
    """Stands in for a network: counts, and gives the image's mean grey."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0

    def read_radiograph(self, radiograph, input_check=None) -> Reading:
        self.count += 1
        balanced = float(radiograph.pixels.mean()) / 255
        return Reading(radiograph.source, self.name, "0" * 64, "ok", balanced=balanced)


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
