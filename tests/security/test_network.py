"""The network cable is out: images are analyzed all the same, and nobody tries to reach anybody."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.served import API, ROOT, WATCH, Server

FILE = {"meta": {"_type": "gradio.FileData"}}


def foreign(reached: list[str]) -> list[str]:
    return [line for line in reached if line.startswith("foreign")]


def test_predict_needs_no_network(png: bytes, dicom: bytes, tmp_path: Path, stand_ins: Path):
    (tmp_path / "a.png").write_bytes(png)
    (tmp_path / "b.dcm").write_bytes(dicom)
    notes = tmp_path / "notes"
    notes.touch()
    environment = os.environ | {
        "PYTHONPATH": f"{WATCH}{os.pathsep}{ROOT}",
        "PNEUMO_TEST_CONNECTIONS": str(notes),
        "PNEUMO_CHECKPOINTS": str(stand_ins),
    }

    def run(*words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True
        )

    done = run("-m", "pneumo", "predict", "a.png", "b.dcm", "--no-input-check", "--format", "jsonl")
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == ["ok", "ok"]
    assert foreign(notes.read_text().splitlines()) == []
    # The watch works: whoever reaches out is noted and fails.
    done = run("-c", "import socket; socket.create_connection(('192.0.2.1', 80), 1)")
    assert "unreachable" in done.stderr
    assert foreign(notes.read_text().splitlines()) == ["foreign 192.0.2.1 80"]


@pytest.fixture(scope="module")
def trap() -> Iterator[tuple[int, list]]:
    """A listener on the loopback, and the addresses of all who knocked."""
    knocks: list = []
    listener = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                visitor, address = listener.accept()
            except OSError:
                return
            knocks.append(address)
            visitor.close()

    threading.Thread(target=listen, daemon=True).start()
    yield listener.getsockname()[1], knocks
    listener.close()


def fields(port: int) -> list:
    """Values of a file field that name a file or an address."""
    inner = f"http://127.0.0.1:{port}/x.png"
    # A name that can be no host's: whoever looks it up has been talked into it.
    outer = "http://pneumo-test.invalid/x.png"
    places = ["/etc/passwd", "../" * 12 + "etc/passwd", "file:///etc/passwd", inner, outer,
              "\\\\127.0.0.1\\share\\x", "/dev/zero", "", "\0"]  # fmt: skip
    return [
        *({"path": place, "url": place, "orig_name": "x.png", **FILE} for place in places),
        {"url": inner, **FILE},
        {"path": "x", "url": outer, **FILE},
        {"path": inner, "is_stream": True, **FILE},
        [{"path": inner, **FILE}],
        {"image": {"path": outer, **FILE}},
        {"path": {"path": inner, **FILE}, **FILE},
        inner,
        "/etc/passwd",
        5,
    ]


def test_no_value_of_predict_is_opened_or_fetched(server: Server, trap):
    port, knocks = trap
    for field in fields(port):
        for image, model in ((field, "cnn"), (None, field)):
            reply = server.ask("predict", image, model, None, False, False)
            assert reply.status_code >= 400, field
            for leak in ("root:", "/etc", "Traceback", "site-packages", "invalid/"):
                assert leak not in reply.text, (field, reply.text)
    assert knocks == [] and foreign(server.reached()) == []


@pytest.mark.parametrize("route", ["call/predict", "call/v2/predict", "queue/join"])
def test_nor_by_way_of_the_queue(server: Server, trap, route: str):
    port, knocks = trap
    for field in fields(port)[3:5]:
        data = [field, "cnn", None, False, False]
        body: dict = {"data": data, "session_hash": "trap", "fn_index": 0}
        if route == "call/v2/predict":
            names = ("image", "model", "threshold", "input_check", "evidence")
            body = dict(zip(names, data, strict=True))
        reply = server.post(route, json=body)
        if route == "queue/join":
            said = server.raw(f"{API}/queue/data?session_hash=trap")[1].decode()
            assert '"success":false' in said
        elif reply.status_code == 200:
            said = server.raw(f"{API}/call/predict/{reply.json()['event_id']}")[1].decode()
            assert "event: error" in said and "root:" not in said
    assert knocks == [] and foreign(server.reached()) == []


def test_no_route_fetches_an_address_or_starts_a_program(server: Server, trap):
    port, knocks = trap
    for door in (f"{API}/proxy=", f"{API}/file=", "/proxy="):
        for target in (f"http://127.0.0.1:{port}/x", f"http:%2f%2f127.0.0.1:{port}%2fx"):
            assert server.raw(door + target)[0] >= 400
    # Gradio hands uploads on this route to ffmpeg, which follows the addresses in a playlist.
    playlist = f"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:{port}/x.ts\n#EXT-X-ENDLIST\n".encode()
    reply = server.post("process_recording", files={"video": ("x.mp4", playlist)})
    assert reply.status_code == 404 and server.files() == []
    assert knocks == [] and foreign(server.reached()) == []
