"""One film of many: read, not kept, and never an exception."""

from types import SimpleNamespace

import cv2
import pytest

from pneumo.imaging.phantom import phantom
from pneumo.models.checkpoint import available_models
from pneumo.ui.desk import Desk
from pneumo.ui.many import brief

pytestmark = pytest.mark.usefixtures("networks")


def sent(film: bytes):
    return SimpleNamespace(data={"models": available_models()[0]}, files=[("film", film)])


def test_a_film_is_read_and_not_kept():
    desk = Desk()
    film = cv2.imencode(".png", phantom(1, 256, "right")[0])[1].tobytes()
    reply = brief(desk, sent(film))
    assert reply["record"]["status"] in ("ok", "refused") and reply["png"]
    assert not desk._films


@pytest.mark.parametrize("film", [b"", b"no film"])
def test_a_bad_film_is_a_record(film):
    reply = brief(Desk(), sent(film))
    assert reply["record"]["status"] == "error" and reply["record"]["reason"] and not reply["png"]


def test_an_odd_request_is_a_record():
    assert brief(Desk(), None)["record"]["status"] == "error"
