"""The first tab: every request gets an answer that JSON can carry, and one decision."""

import json
from types import SimpleNamespace

import cv2
import pytest

from pneumo.imaging.phantom import phantom
from pneumo.models.checkpoint import available_models
from pneumo.reading.reader import Reader, Reading
from pneumo.ui.examples import Example
from pneumo.ui.store import ImageStore
from pneumo.ui.viewer import answer

pytestmark = pytest.mark.usefixtures("networks")


@pytest.fixture(scope="module")
def store():
    return ImageStore()


@pytest.fixture(scope="module")
def image() -> bytes:
    return cv2.imencode(".png", phantom(1, 256, "right")[0])[1].tobytes()


def sent(image: bytes | None, **fields):
    """What Gradio makes of the page's request with a file."""
    fields = {"models": available_models()[0], "check": "off", **fields}
    return SimpleNamespace(data=fields, files=[] if image is None else [("image", image)])


def test_an_image_is_answered_as_the_reader_analyzes_it(store, image):
    reply = answer(store, (), sent(image))
    json.dumps(reply)
    (result,) = reply["results"]
    expected = Reader(available_models()[0], input_check=False).predict(image)
    assert reply["status"] == "ok"
    assert result["probability"] == pytest.approx(expected.probability, abs=1e-5)
    assert result["label"] == expected.label
    assert (result["rule_out"], result["rule_in"]) == (expected.rule_out, expected.rule_in)
    assert set(reply["maps"][0]) == {"for", "against"}


def test_all_models_in_one_request_and_the_image_from_its_token(store, image):
    first = answer(store, (), sent(image))
    names = ",".join(available_models())
    again = answer(store, (), sent(None, models=names, token=first["token"], pictures="no"))
    assert [result["model"] for result in again["results"]] == list(available_models())
    assert again["agreement"]["sentence"]
    assert "image" not in again and "maps" not in again and again["token"] == first["token"]


def test_policy_and_prevalence_run_no_network(store, image, monkeypatch):
    token = answer(store, (), sent(image))["token"]
    reader = store.reader(available_models()[0])
    monkeypatch.setattr(reader, "read_radiograph", lambda *_: pytest.fail("a network ran"))

    def asked(**fields) -> dict:
        reply = answer(store, (), sent(None, token=token, pictures="no", **fields))
        assert reply["status"] == "ok"
        return reply["results"][0]

    usual, rare = asked(), asked(prevalence="1")
    assert rare["probability"] < usual["probability"] and rare["label"] == usual["label"]
    shown = 100 * usual["probability"]
    sure = asked(policy="custom", rule_out=shown - 1e-3, rule_in=shown - 1e-3)
    not_sure = asked(policy="custom", rule_out="0", rule_in="100")
    unlikely = asked(policy="custom", rule_out=shown + 1e-3, rule_in=shown + 1e-3)
    labels = [result["label"] for result in (sure, not_sure, unlikely)]
    assert labels == ["PNEUMONIA", "INDETERMINATE", "NORMAL"]
    assert not unlikely["map_on"], "no map is drawn unasked where pneumonia is unlikely"


def test_custom_thresholds_follow_a_prevalence_and_the_label_stays(store, image):
    token = answer(store, (), sent(image))["token"]
    fields = {"token": token, "policy": "custom", "rule_out": "30", "rule_in": "70", "at": "50"}
    first = answer(store, (), sent(None, prevalence="50", **fields))
    second = answer(store, (), sent(None, prevalence="2", **fields))
    assert (first["numbers"]["rule_out"], first["numbers"]["rule_in"]) == ("30", "70")
    assert float(second["numbers"]["rule_in"]) < 30
    assert first["results"][0]["label"] == second["results"][0]["label"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"prevalence": "0"}, "prevalence"), ({"prevalence": "x"}, "prevalence"),
     ({"policy": "none"}, "policy"), ({"policy": "custom", "rule_out": "9"}, "policy")],
)  # fmt: skip
def test_a_wrong_choice_is_told_with_its_field(store, image, fields, field):
    reply = answer(store, (), sent(image, **fields))
    assert (reply["status"], reply["field"]) == ("invalid", field)
    assert reply["reason"].endswith(".")


@pytest.mark.parametrize("data", [None, 3, [], {}, {"models": "none"}, {"models": "../cnn"},
                                  {"models": "cnn", "turn": "x"}, {"models": "cnn"},
                                  {"models": "cnn", "example": "0"},
                                  {"models": "cnn", "example": "-1"}])  # fmt: skip
def test_an_odd_request_gets_a_sentence(store, data):
    reply = answer(store, (), data)
    assert reply["status"] == "error" and reply["reason"].endswith(".")


def test_an_unknown_token_is_told_as_forgotten(store):
    assert answer(store, (), sent(None, token="x" * 22)) == {"status": "forgotten"}


def test_bad_images_are_told_apart(store):
    assert answer(store, (), sent(b""))["status"] == "error"
    assert answer(store, (), sent(b"BM" + b"\xff" * 40))["status"] in ("error", "refused")


def test_an_example_that_has_gone_is_a_sentence(store, tmp_path):
    gone = Example(tmp_path / "gone.png", "Gone", "", "", "own")
    assert answer(store, (gone,), sent(None, example="0"))["status"] == "error"


def test_an_inner_error_is_answered_too(image):
    class Broken:
        def __init__(self, name):
            raise ZeroDivisionError

    reply = answer(ImageStore(Broken), (), sent(image))
    assert reply["status"] == "error" and "ZeroDivision" not in reply["reason"]


def test_a_refused_image_is_shown_and_can_be_analyzed_all_the_same(image):
    class Strict(Reader):
        def read_radiograph(self, radiograph, input_check=None):
            if input_check:
                return Reading(radiograph.source, self.name, "0" * 64, "refused", reason="Not so.")
            return super().read_radiograph(radiograph, input_check)

    store = ImageStore(Strict)
    refused = answer(store, (), sent(image, check="on"))
    assert (refused["status"], refused["reason"]) == ("refused", "Not so.")
    assert refused["image"]["png"]
    forced = answer(store, (), sent(None, token=refused["token"]))
    assert forced["status"] == "ok" and forced["image"]
