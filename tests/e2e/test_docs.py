"""The examples of README and docs/api.md, run as printed; and links that lead somewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.security.server import ROOT, Server

PAGES = ("README.md", "docs/api.md")
BLOCKS = [
    (page, language, text)
    for page in PAGES
    for language, text in re.findall(
        r"```(\w+)\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S
    )
]
PYTHON = [b for b in BLOCKS if b[1] == "python" and "Client" not in b[2]]
CLIENT = [b for b in BLOCKS if b[1] == "python" and "Client" in b[2]]
CURL = [b for b in BLOCKS if b[1] == "sh" and "curl" in b[2]]
COMMANDS = [
    line.partition("  #")[0]
    for _, language, text in BLOCKS
    if language == "sh"
    for line in text.splitlines()
    if line.startswith("pneumo predict")
]


@pytest.fixture
def desk(tmp_path: Path, film: bytes, monkeypatch) -> Path:
    """A folder with radiograph.png and ward/, and the console script on the path."""
    (tmp_path / "ward").mkdir()
    for name in ("radiograph.png", "ward/a.png"):
        (tmp_path / name).write_bytes(film)
    scripts = tmp_path / "bin"
    scripts.mkdir()
    (scripts / "pneumo").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pneumo "$@"\n')
    (scripts / "pneumo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def run(words: list[str], desk: Path) -> str:
    done = subprocess.run(words, cwd=desk, timeout=300, capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def test_python_examples(desk):
    """All in one process: each imports what it uses."""
    assert len(PYTHON) >= 3
    assert run([sys.executable, "-c", "\n".join(text for _, _, text in PYTHON)], desk)


def test_commands(desk):
    assert len(COMMANDS) >= 6
    for line in COMMANDS:
        run(["sh", "-c", line], desk)
    assert (desk / "readings.csv").is_file() and (desk / "readings.jsonl").is_file()


def test_gradio_client_example(desk, server: Server):
    assert CLIENT
    for _, _, text in CLIENT:
        out = run([sys.executable, "-c", text.replace("http://127.0.0.1:7860", server.url)], desk)
        assert out.split()[-3] in ("ok", "refused")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")
def test_curl_examples(desk, server: Server):
    assert len(CURL) == len(PAGES)
    for _, _, text in CURL:
        out = run(["sh", "-c", text.replace("http://127.0.0.1:7860", server.url)], desk)
        assert '"status"' in out


def test_links_lead_to_files():
    for page in (*PAGES, *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))):
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
            assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"
