"""The store: what nobody waits for any more is neither decoded nor analyzed."""

import threading

import pytest

from pneumo.ui.store import ImageStore, Superseded, sender_gone


def test_an_image_whose_sender_has_gone_is_not_decoded(png):
    gone = threading.Event()
    token = sender_gone.set(gone)
    try:
        store = ImageStore(lambda name: None)
        image = store.put(png)
        gone.set()
        with pytest.raises(Superseded):
            store.put(png)
        with pytest.raises(Superseded):
            store.read(image, "a")
    finally:
        sender_gone.reset(token)
