"""The page as a whole: it can be built, keeps its privacy settings, and every sentence exists."""

import re

import pytest

from pneumo.ui import layout
from pneumo.ui.assets_text import ASSETS
from pneumo.ui.texts import ENGLISH, filled, text


def test_the_page_is_built_without_any_checkpoint(monkeypatch, tmp_path):
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(tmp_path))
    demo = layout.build_demo(tmp_path)
    assert demo.analytics_enabled is False
    assert demo.delete_cache is not None


@pytest.mark.parametrize(("settings", "host"), [
    ({}, "127.0.0.1"),
    ({"SPACE_ID": "someone/pneumo"}, "0.0.0.0"),
    ({"SPACE_ID": "someone/pneumo", "GRADIO_SERVER_NAME": "::"}, "::"),
])
def test_it_binds_what_the_place_expects(monkeypatch, settings, host):
    for name in ("SPACE_ID", "GRADIO_SERVER_NAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    arguments = layout.launch_arguments()
    assert arguments["server_name"] == host
    assert arguments["run_history"] is False and arguments["pwa"] is False
    assert arguments["footer_links"] == [] and arguments["share"] is False


def test_every_sentence_the_scripts_use_exists_and_every_literal_one_is_in_the_catalogue():
    for path in sorted(ASSETS.glob("*.js")):
        source = path.read_text()
        for key in re.findall(r"\bt\(\"([\w.]+)\"", source):
            assert key in ENGLISH, f"{path.name}: {key}"
        for start in re.findall(r"\bt\(`([\w.]+\.)\$\{", source):
            assert any(key.startswith(start) for key in ENGLISH), f"{path.name}: {start}"


def test_every_place_of_the_templates_is_filled():
    for path in sorted(ASSETS.glob("*.html")):
        assert "[[" not in filled(path.read_text()), path.name


def test_sentences_take_their_values():
    assert "12" in text("error.large", limit=12)
    with pytest.raises(KeyError):
        text("no.such.sentence")
