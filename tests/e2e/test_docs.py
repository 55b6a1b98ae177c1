"""The examples of README and docs/api.md, run as printed; and links that lead somewhere."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.served import ROOT, Server
from tests.unit.commands.shell import run

PAGES = ("README.md", "docs/api.md")
BLOCKS = [
    block
    for page in PAGES
    for block in re.findall(r"```(\w+)\n(.*?)```", (ROOT / page).read_text("utf-8"), re.S)
]
PYTHON = [text for language, text in BLOCKS if language == "python"]
CURL = [text for language, text in BLOCKS if language == "sh" and "curl" in text]
COMMANDS = [
    line
    for language, text in BLOCKS
    if language == "sh"
    for line in text.splitlines()
    if line.startswith("pneumo predict")
]


@pytest.fixture
def desk(tmp_path: Path, png: bytes, monkeypatch) -> Path:
    """A folder with radiograph.png and ward/, in which the examples run."""
    (tmp_path / "ward").mkdir()
    for name in ("radiograph.png", "ward/a.png"):
        (tmp_path / name).write_bytes(png)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_python_examples(desk, server: Server, capsys):
    assert len(PYTHON) >= 4
    for text in PYTHON:
        exec(text.replace("http://127.0.0.1:7860", server.url), {})
        assert capsys.readouterr().out


def test_commands(desk):
    assert len(COMMANDS) >= 6
    for line in COMMANDS:
        assert run(*shlex.split(line, comments=True)[1:]) == 0, line
    assert (desk / "readings.csv").is_file() and (desk / "readings.jsonl").is_file()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")
def test_curl_examples(desk, server: Server):
    assert len(CURL) == len(PAGES)
    for text in CURL:
        command = ["sh", "-c", text.replace("http://127.0.0.1:7860", server.url)]
        assert '"status"' in subprocess.run(command, capture_output=True, text=True).stdout


def test_links_lead_to_files():
    for page in (*PAGES, *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))):
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", (ROOT / page).read_text("utf-8")):
            assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"
