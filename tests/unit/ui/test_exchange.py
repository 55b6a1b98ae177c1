"""The exchange: every request of a page gets an answer that json can carry."""

import json
from types import SimpleNamespace

import cv2
import pytest

from pneumo.imaging.phantom import phantom
from pneumo.models.checkpoint import available_models
from pneumo.reading.reader import Reader, Reading
from pneumo.ui.desk import Desk
from pneumo.ui.examples import Example
from pneumo.ui.exchange import answer

pytestmark = pytest.mark.usefixtures("networks")


@pytest.fixture(scope="module")
def desk():
    return Desk()


@pytest.fixture(scope="module")
def film() -> bytes:
    return cv2.imencode(".png", phantom(1, 256, "right")[0])[1].tobytes()


def sent(film: bytes | None, **fields):
    """What Gradio makes of the page's request with a file."""
    fields = {"models": available_models()[0], **fields}
    return SimpleNamespace(data=fields, files=[] if film is None else [("film", film)])


def test_a_film_is_answered_as_the_reader_reads_it(desk, film):
    reply = answer(desk, (), sent(film))
    json.dumps(reply)
    expected = Reader(available_models()[0]).read(film)
    record = reply["readings"][0]["record"]
    assert reply["status"] == "ok"
    assert record["probability"] == pytest.approx(expected.probability, abs=1e-6)
    assert (record["label"], record["threshold"]) == (expected.label, expected.threshold)
    assert set(reply["readings"][0]["heat"]) == {"for", "against"}


def test_all_models_in_one_request_and_the_film_from_its_token(desk, film):
    first = answer(desk, (), sent(film))
    names = ",".join(available_models())
    again = answer(desk, (), {"models": names, "token": first["token"], "picture": "no"})
    assert [r["record"]["model"] for r in again["readings"]] == list(available_models())
    assert "film" not in again and again["token"] == first["token"]


@pytest.mark.parametrize("data", [None, 3, [], {}, {"models": "none"}, {"models": "../cnn"},
                                  {"models": "cnn", "turn": "x"}, {"models": "cnn"},
                                  {"models": "cnn", "example": "0"},
                                  {"models": "cnn", "example": "-1"}])
def test_an_odd_request_gets_a_sentence(desk, data):
    reply = answer(desk, (), data)
    assert reply["status"] == "error" and reply["reason"].endswith(".")


def test_an_unknown_token_is_told_as_forgotten(desk):
    assert answer(desk, (), sent(None, token="x" * 22)) == {"status": "forgotten"}


def test_bad_films_are_told_apart(desk):
    assert answer(desk, (), sent(b""))["status"] == "error"
    assert answer(desk, (), sent(b"BM" + b"\xff" * 40))["status"] in ("error", "refused")


def test_an_example_that_has_gone_is_a_sentence(desk, tmp_path):
    gone = Example(tmp_path / "gone.png", "Gone", "", "", "own")
    assert answer(desk, (gone,), sent(None, example="0"))["status"] == "error"


def test_an_inner_error_is_answered_too(film):
    class Broken:
        def __init__(self, name):
            raise ZeroDivisionError

    reply = answer(Desk(Broken), (), sent(film))
    assert reply["status"] == "error" and "ZeroDivision" not in reply["reason"]


def test_what_the_guard_refuses_can_be_read_all_the_same(film):
    class Guarded(Reader):
        def read_radiograph(self, radiograph, guard=None):
            if guard:
                return Reading(radiograph.source, self.name, "0" * 64, "refused", reason="Not so.")
            return super().read_radiograph(radiograph, guard)

    desk = Desk(Guarded)
    refused = answer(desk, (), sent(film))
    assert (refused["status"], refused["reason"]) == ("refused", "Not so.")
    forced = answer(desk, (), sent(None, token=refused["token"], guard="off"))
    assert forced["status"] == "ok" and forced["film"]
