"""The README's examples for programs, run as they are printed, on a running app."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest

from tests.security.server import ROOT, Server


@pytest.fixture
def blocks(server: Server, tmp_path, film: bytes) -> dict[str, str]:
    """The fenced blocks of the section, by language, asking this test's own app."""
    (tmp_path / "film.png").write_bytes(film)
    section = (ROOT / "README.md").read_text().split("## From a program\n")[1].split("\n## ")[0]
    found = dict(re.findall(r"```(\w+)\n(.*?)```", section, re.S))
    # The test's picture is drawn and its networks untrained: the guard is not asked.
    swaps = {"http://127.0.0.1:7860": server.url, ", True, False": ", False, False",
             "null, true, false": "null, false, false"}
    for old, new in swaps.items():
        assert any(old in text for text in found.values()), old
        found = {language: text.replace(old, new) for language, text in found.items()}
    return found


def test_gradio_client_example(blocks, tmp_path):
    done = subprocess.run([sys.executable, "-c", blocks["python"]], cwd=tmp_path, timeout=200,
                          capture_output=True, text=True)
    status, label, probability = done.stdout.split()[-3:]
    assert status == "ok" and label in ("NORMAL", "PNEUMONIA", "UNCERTAIN")
    assert 0 <= float(probability) <= 1


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")
def test_curl_example(blocks, tmp_path):
    done = subprocess.run(["sh", "-c", blocks["sh"]], cwd=tmp_path, timeout=200,
                          capture_output=True, text=True)
    reading = json.loads(done.stdout)["data"][0]
    assert reading["status"] == "ok" and reading["model"] == "resnet18"
