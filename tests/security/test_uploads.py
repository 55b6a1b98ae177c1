"""What is sent to the server is limited, nowhere on its disk, and gone within minutes."""

import asyncio
import contextlib
import json
import socket
import time

import httpx
import psutil
import pytest
from gradio.routes import App

from pneumo.imaging.radiograph import MAX_BYTES
from pneumo.ui import store
from pneumo.ui.layout import build_demo, launch_arguments
from pneumo.ui.security import middleware, uploads
from tests.served import API, Server, run_apart

NAMES = ("../../../../tmp/Zebrowska_1931.png", "Zebrowska\r\nX-Evil: 1.png", "Zebrowska\0.png",
         "<script>alert('Zebrowska')</script>.png", "Zebrowska" * 300 + ".png")  # fmt: skip
MULTIPART = "multipart/form-data; boundary=cut"
BEGINNING = (
    f"Content-Type: {MULTIPART}\r\n\r\n"
    '--cut\r\nContent-Disposition: form-data; name="files"; filename="f"\r\n\r\n'
)
routes = pytest.mark.parametrize("route", ["upload", "component_server"])


def form(content: bytes, name: str, field: str = "files", **fields: str) -> bytes:
    """A multipart form with the file name exactly as it is."""
    lines = "".join(
        f'--cut\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    )
    start = f'--cut\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return (lines + start).encode() + content + b"\r\n--cut--\r\n"


def test_a_file_name_goes_nowhere(server: Server, png: bytes):
    said = b""
    for name in NAMES:
        status, reply = server.raw(f"{API}/upload", "POST", form(png, name), Content_Type=MULTIPART)
        said += reply
        if status == 200:
            image = {"path": json.loads(reply)[0], "orig_name": name, "meta": {}}
            answer = server.ask("predict", image, "cnn", None, False, False)
            assert answer.json()["data"][0]["status"] == "ok"
            said += answer.content
        body = form(png, name, "image", **server.form())
        said += server.raw(f"{API}/component_server", "POST", body, Content_Type=MULTIPART)[1]
    assert b"ebrowska" not in said and b"<script" not in said
    assert "ebrowska" not in server.printed() and server.files() == []


def test_an_image_never_touches_the_disk_and_an_upload_serves_one_question(
    server: Server, png: bytes
):
    assert server.analyze(png).json()["status"] == "ok" and server.files() == []
    token = server.upload(png)
    assert "/" not in token and server.files() == []
    for expected in (200, 422):
        answer = server.ask("predict", {"path": token}, "cnn", None, False, False)
        assert answer.status_code == expected, answer.text
    assert server.files() == []


@routes
def test_too_many_bytes_are_refused_before_they_are_sent(server: Server, route: str):
    head = (
        f"POST {API}/{route} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Length: {MAX_BYTES + 1_000_000}\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall((head + BEGINNING).encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_too_many_bytes_that_nobody_announced_are_not_kept(server: Server):
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss

    def pieces():
        yield BEGINNING.partition("\r\n\r\n")[2].encode()
        for _ in range(MAX_BYTES // 1_000_000 + 2):
            yield bytes(1_000_000)

    # A client that is still sending may miss the answer.
    with contextlib.suppress(httpx.TransportError):
        reply = server.post("upload", content=pieces(), headers={"content-type": MULTIPART})
        assert reply.status_code == 413 and reply.json()["error"].endswith(".")
    deadline = time.monotonic() + 20
    while process.memory_info().rss - before > MAX_BYTES // 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert process.memory_info().rss - before < MAX_BYTES // 2
    assert server.files() == [] and server.raw("/robots.txt")[0] == 200


def test_images_nobody_asks_for_are_forgotten_within_minutes(png: bytes, monkeypatch):
    """The same gate in this process, with minutes made short."""
    assert uploads.KEEP_SECONDS <= 10 * 60 and store.KEEP_SECONDS <= 30 * 60
    monkeypatch.setattr(middleware, "KEEP_SECONDS", 2)
    monkeypatch.setattr(store, "KEEP_SECONDS", 0.1)
    monkeypatch.setattr(middleware, "STORE_SECONDS", 5 - 60)
    demo, tidied = build_demo(), []
    demo.store.warm_up()  # which would take longer than an image is kept
    period, age = demo.delete_cache  # what Gradio itself may store
    assert 0 < period <= 300 and 0 < age <= 300
    viewer = next(n for n, block in demo.blocks.items() if block.elem_id == "viewer")
    monkeypatch.setattr(
        demo.store, "tidy", lambda: tidied.append(type(demo.store).tidy(demo.store))
    )

    async def send_and_wait() -> None:
        transport = httpx.ASGITransport(
            App.create_app(demo, app_kwargs=launch_arguments()["app_kwargs"])
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            await client.post(f"{API}/upload", files={"files": ("f", png)})
            assert len(demo.uploads) == 1
            fields = {"component_id": str(viewer), "session_hash": "s", "fn_name": "analyze"}
            reply = await client.post(
                f"{API}/component_server",
                data={**fields, "models": "cnn", "check": "off"},
                files={"image": ("f", png)},
            )
            assert reply.json()["status"] == "ok" and reply.json()["token"]
            assert not tidied, "the image was stored before"
            deadline = time.monotonic() + 60
            while not tidied or len(demo.uploads):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.1)

    run_apart(send_and_wait())
    assert tidied == [0]
