"""The file field of the public events and the proxy routes reach for nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.server import API, ROOT, Server


@pytest.fixture(scope="module")
def trap() -> Iterator[tuple[int, list]]:
    """A listener on the loopback, and the addresses of all who knocked."""
    knocks: list = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.2)
    over = threading.Event()

    def listen() -> None:
        while not over.is_set():
            try:
                visitor, address = listener.accept()
            except TimeoutError:
                continue
            knocks.append(address)
            visitor.close()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield listener.getsockname()[1], knocks
    over.set()
    thread.join(5)
    listener.close()


def fields(port: int) -> list:
    meta = {"meta": {"_type": "gradio.FileData"}}
    inner = f"http://127.0.0.1:{port}/x.png"
    # A name that can be no host's: whoever looks it up has been talked into it.
    outer = "http://pneumo-test.invalid/x.png"
    places = [
        "/etc/passwd",
        "../" * 12 + "etc/passwd",
        "file:///etc/passwd",
        str(ROOT / "app.py"),
        inner,
        outer,
        "\\\\127.0.0.1\\share\\x",
        "/dev/zero",
        "/proc/self/environ",
        "",
        "/",
        "\0",
        "a" * 5000,
        "ftp://127.0.0.1/x",
        "data:image/png;base64,AAAA",
    ]
    made = [{"path": place, **meta} for place in places]
    made += [{"path": place, "url": place, "orig_name": "x.png", **meta} for place in places[:6]]
    made += [
        {"url": inner, **meta},
        {"path": "x", "url": outer, **meta},
        {"path": inner, "is_stream": True, **meta},
        {"path": inner, "is_file": True},
        [{"path": inner, **meta}],
        {"image": {"path": outer, **meta}},
        inner,
        outer,
        "/etc/passwd",
        {"path": {"path": inner, **meta}, **meta},
        {"path": 5, **meta},
        5,
        True,
    ]
    return made


def foreign(server: Server) -> list[str]:
    return [
        line for line in server.connections.read_text().splitlines() if line.startswith("foreign")
    ]


@pytest.mark.parametrize("place", ["film", "model"])
def test_the_fields_of_predict_reach_for_nothing(server: Server, trap, place: str):
    port, knocks = trap
    for field in fields(port):
        film, model = (field, "cnn") if place == "film" else (None, field)
        reply = server.ask("predict", film, model, None, False, False)
        assert reply.status_code >= 400, field
        for leak in ("root:", "/etc", "passwd", "Traceback", "site-packages", "invalid/"):
            assert leak not in reply.text, (field, reply.text)
    assert knocks == [] and foreign(server) == []
    assert not any(f" {port}" in line for line in server.connections.read_text().splitlines())


@pytest.mark.parametrize("route", ["call/predict", "call/v2/predict", "queue/join"])
def test_neither_does_the_queue(server: Server, trap, route: str):
    port, knocks = trap
    for field in fields(port)[4:6] + fields(port)[15:22]:
        data = [field, "cnn", None, False, False]
        body = {"data": data, "session_hash": "trap", "fn_index": 0}
        if route == "call/v2/predict":
            body = dict(zip(("film", "model", "threshold", "guard", "heat"), data, strict=True))
        with server.client() as client:
            reply = client.post(f"{API}/{route}", json=body)
            event = reply.json().get("event_id") if reply.status_code == 200 else None
            if event and route.startswith("call"):
                answer = client.get(f"{API}/call/predict/{event}").text
                assert "event: error" in answer and "root:" not in answer
    if route == "queue/join":
        with (
            server.client() as client,
            client.stream("GET", f"{API}/queue/data", params={"session_hash": "trap"}) as stream,
        ):
            said = "".join(stream.iter_text())
        assert '"success":true,"title"' not in said and "invalid/" not in said
    assert knocks == [] and foreign(server) == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_no_route_fetches_an_address(server: Server, trap, method: str):
    port, knocks = trap
    for door in (f"{API}/proxy=", f"{API}/file=", f"{API}/file/", "/file=", "/proxy="):
        for target in (
            f"http://127.0.0.1:{port}/x",
            f"http:%2f%2f127.0.0.1:{port}%2fx",
            f"//127.0.0.1:{port}/x",
            "https://pneumo-test.invalid.hf.space/x",
        ):
            assert server.raw(door + target, method)[0] >= 400
    assert knocks == [] and foreign(server) == []


def test_a_screen_recording_is_given_to_no_program(server: Server, trap):
    """Gradio hands uploads on this route to ffmpeg, which follows the addresses in a playlist."""
    port, knocks = trap
    playlist = f"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:{port}/x.ts\n#EXT-X-ENDLIST\n".encode()
    with server.client() as client:
        reply = client.post(f"{API}/process_recording", files={"video": ("x.mp4", playlist)})
    assert reply.status_code == 404
    assert knocks == [] and not [p for p in server.files() if Path(p).suffix == ".mp4"]
