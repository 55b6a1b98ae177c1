"""The first tab: every request gets an answer that JSON can carry, and one decision."""

from types import SimpleNamespace

import pytest

from pneumo.models.card import CheckpointError
from pneumo.models.checkpoint import available_models
from pneumo.ui.examples import Example
from pneumo.ui.store import ImageStore
from pneumo.ui.texts import catalogues, requested
from pneumo.ui.viewer import answer


def sent(image: bytes | None, **fields):
    """What Gradio makes of the page's request with a file."""
    fields = {"models": available_models()[0], "check": "off", **fields}
    return SimpleNamespace(data=fields, files=[] if image is None else [("image", image)])


def test_an_image_from_its_token_runs_no_network_again(store, png, monkeypatch):
    token = answer(store, (), sent(png))["token"]
    reader = store.reader(available_models()[0])
    monkeypatch.setattr(reader, "read_radiograph", lambda *_: pytest.fail("a network ran"))
    fields = {"token": token, "pictures": "no", "prevalence": "1"}
    reply = answer(store, (), sent(None, policy="custom", rule_out="0", rule_in="100", **fields))
    assert reply["results"][0]["label"] == "INDETERMINATE"
    assert "image" not in reply and "maps" not in reply and reply["token"] == token


def test_bad_images_and_what_has_gone_are_told_apart(store, tmp_path):
    assert answer(store, (), sent(None, token="x" * 22)) == {"status": "forgotten"}
    assert answer(store, (), sent(b""))["status"] == "error"
    gone = Example(tmp_path / "gone.png", "Gone", "", "", "own")
    assert answer(store, (gone,), sent(None, example="0"))["status"] == "error"


@pytest.mark.parametrize("error", [ZeroDivisionError("inner"), CheckpointError("inner")])
def test_an_inner_error_is_answered_in_the_pages_language(png, error):
    def broken(name):
        raise error

    said = set()
    for language in catalogues():
        token = requested.set(language)
        reply = answer(ImageStore(broken), (), sent(png))
        requested.reset(token)
        assert reply["status"] == "error" and "inner" not in reply["reason"]
        said.add(reply["reason"])
    assert len(said) == len(catalogues())
