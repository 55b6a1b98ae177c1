"""The page as a whole: built without checkpoints, served where it is meant to be, and private."""

import pytest

from pneumo.ui import layout
from pneumo.ui.web import facts, head


def test_the_page_is_built_without_any_checkpoint(monkeypatch, tmp_path):
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(tmp_path))
    demo = layout.build_demo(tmp_path)
    assert demo.analytics_enabled is False


@pytest.mark.parametrize(("settings", "host"), [
    ({}, "127.0.0.1"),
    ({"SPACE_ID": "someone/pneumo"}, "0.0.0.0"),
    ({"SPACE_ID": "someone/pneumo", "GRADIO_SERVER_NAME": "::"}, "::"),
])  # fmt: skip
def test_it_binds_what_the_place_expects(monkeypatch, settings, host):
    for name in ("SPACE_ID", "GRADIO_SERVER_NAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    arguments = layout.launch_arguments()
    assert arguments["server_name"] == host
    assert arguments["run_history"] is False and arguments["pwa"] is False
    assert arguments["footer_links"] == [] and arguments["share"] is False


def test_no_sentence_ends_the_script(monkeypatch):
    monkeypatch.setattr("pneumo.ui.web.catalogue", lambda: {"drop.now": "</script><b>"})
    assert "</" not in facts("none") and head().count("</script>") == 1
