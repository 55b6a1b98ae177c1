"""With the network cable out a film is read all the same, and nobody tries to reach anybody."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.security.server import ROOT, Server

WATCH = Path(__file__).parent / "watch"
REACH = "import socket; socket.create_connection(('192.0.2.1', 80), 1)"


def alone() -> list[str]:
    """Words before a command that take every network from it; none where that is not permitted."""
    words = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None:
        return []
    permitted = subprocess.run([*words, "true"], capture_output=True).returncode == 0
    return words if permitted else []


@pytest.fixture
def settings(tmp_path: Path, stand_ins: Path) -> dict[str, str]:
    """The environment of a program whose attempts are noted and fail."""
    notes = tmp_path / "connections"
    notes.touch()
    return os.environ | {
        "PYTHONPATH": f"{WATCH}{os.pathsep}{ROOT}",
        "PNEUMO_TEST_CONNECTIONS": str(notes),
        "PNEUMO_CHECKPOINTS": str(stand_ins),
        "OMP_NUM_THREADS": "1",
    }


def test_the_cable_is_out(settings):
    done = subprocess.run([sys.executable, "-c", REACH], env=settings, capture_output=True)
    assert done.returncode and b"unreachable" in done.stderr
    assert Path(settings["PNEUMO_TEST_CONNECTIONS"]).read_text() == "foreign 192.0.2.1 80\n"


def test_predict_reads_without_a_network(settings, film: bytes, dicom: bytes, tmp_path):
    (tmp_path / "a.png").write_bytes(film)
    (tmp_path / "b.dcm").write_bytes(dicom)
    words = ["-m", "pneumo", "predict", "a.png", "b.dcm", "--no-input-check", "--format", "jsonl"]
    done = subprocess.run(
        [*alone(), sys.executable, *words],
        cwd=tmp_path,
        env=settings,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == ["ok", "ok"]
    reached = Path(settings["PNEUMO_TEST_CONNECTIONS"]).read_text().splitlines()
    assert [line for line in reached if line.startswith("foreign")] == []


def test_the_app_serves_its_page_and_reads_without_a_network(server: Server, film: bytes):
    with server.client() as client:
        page = client.get("/")
    assert page.status_code == 200 and "</html>" in page.text
    assert server.read(film).json()["data"][0]["status"] == "ok"
    assert server.analyze(film).json()["status"] == "ok"
    reached = server.connections.read_text().splitlines()
    assert reached, "the watch did not work: the app asks itself once when it starts"
    assert [line for line in reached if line.startswith("foreign")] == []
