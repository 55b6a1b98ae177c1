"""What is sent to the server is limited, nowhere on its disk, and gone within minutes."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest
from gradio.routes import App
from gradio_client import Client, handle_file

from pneumo.imaging.radiograph import MAX_BYTES
from pneumo.ui import store
from pneumo.ui.layout import build_demo, launch_arguments
from pneumo.ui.security import middleware, uploads
from pneumo.ui.security.uploads import Full, Uploads
from tests.security.server import API, Server

NAMES = [
    "../../../../tmp/Zebrowska_1931.png",
    "/etc/Zebrowska.png",
    "Zebrowska\r\nX-Evil: 1.png",
    "<script>alert('Zebrowska')</script>.png",
    'Zebrowska";a="b.png',
    "..",
    ".",
    "",
    "Zebrowska\0.png",
    "Zebrowska" * 300 + ".png",
    "CON",
    "Zebrowska/",
    "Żebrowska-\u202egnp.dcm",
    "%2e%2e%2fZebrowska",
    "{0.__class__}Zebrowska",
    "$(touch Zebrowska).png",
]


def form(content: bytes, name: str, field: str = "files", **fields: str) -> tuple[bytes, str]:
    """A multipart form with the file name exactly as it is."""
    lines = b"".join(
        f'--cut\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    )
    start = f'--cut\r\nContent-Disposition: form-data; name="{field}"; filename="'.encode()
    body = lines + start + name.encode() + b'"\r\n\r\n' + content + b"\r\n--cut--\r\n"
    return body, "multipart/form-data; boundary=cut"


def run(work: Coroutine):
    """Run in a thread of its own: the browser of other tests has a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def memory(server: Server) -> int:
    return psutil.Process(server.process.pid).memory_info().rss


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_goes_nowhere(server: Server, film: bytes, name: str):
    said = b""
    body, kind = form(film, name)
    status, reply = server.raw(f"{API}/upload", "POST", body, Content_Type=kind)
    said += reply
    if status == 200:
        token = re.search(rb'"([^"]+)"', reply)[1].decode()
        answer = server.ask(
            "predict",
            {"path": token, "orig_name": name, "meta": {"_type": "gradio.FileData"}},
            "cnn",
            None,
            False,
            False,
        )
        assert answer.status_code == 200 and answer.json()["data"][0]["status"] == "ok"
        said += answer.content
    body, kind = form(
        film,
        name,
        "image",
        component_id=str(server.component()),
        fn_name="analyze",
        session_hash="s",
        models="cnn",
        check="off",
    )
    said += server.raw(f"{API}/component_server", "POST", body, Content_Type=kind)[1]
    assert b"ebrowska" not in said and b"<script" not in said
    assert "ebrowska" not in server.printed()
    assert not any("ebrowska" in str(path) for path in server.temp.rglob("*"))


def test_a_film_of_the_page_never_touches_the_disk(server: Server, film: bytes):
    reply = server.analyze(film)
    assert reply.status_code == 200 and reply.json()["status"] == "ok", reply.text[:300]
    assert server.files() == []


def test_an_upload_of_a_program_never_touches_the_disk(server: Server, film: bytes):
    token = server.upload(film).json()[0]
    assert "/" not in token and server.files() == []
    for expected in (200, 422):
        answer = server.ask(
            "predict",
            {"path": token, "meta": {"_type": "gradio.FileData"}},
            "cnn",
            None,
            False,
            False,
        )
        # A second time it is no longer there.
        assert answer.status_code == expected, answer.text
    assert server.files() == []


def test_gradio_client_reads_a_film_through_the_gate(server: Server, film: bytes, tmp_path):
    path = tmp_path / "Zebrowska.png"
    path.write_bytes(film)
    client = Client(server.url, verbose=False, download_files=False, analytics_enabled=False)
    record = client.predict(handle_file(path), "cnn", None, False, False, api_name="/predict")
    assert record["status"] == "ok" and server.files() == []
    assert [model["name"] for model in client.predict(api_name="/models")] == ["cnn", "resnet18"]
    client.close()
    assert "ebrowska" not in server.printed()


@pytest.mark.parametrize("route", ["upload", "component_server"])
def test_a_cut_connection_leaves_nothing(server: Server, route: str):
    head = (
        f"POST {API}/{route} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4000000\r\n"
        "Content-Type: multipart/form-data; boundary=cut\r\n\r\n"
        '--cut\r\nContent-Disposition: form-data; name="files"; filename="f"\r\n\r\n'
    )
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(head.encode() + b"x" * 2_000_000)
            time.sleep(0.1)
    deadline = time.monotonic() + 10
    while server.files() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert server.files() == []


@pytest.mark.parametrize("route", ["upload", "component_server"])
def test_too_many_bytes_are_refused_before_they_are_sent(server: Server, route: str):
    head = (
        f"POST {API}/{route} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Length: {MAX_BYTES + 1_000_000}\r\n"
        "Content-Type: multipart/form-data; boundary=cut\r\n\r\n--cut\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("route", ["upload", "component_server"])
def test_too_many_bytes_that_nobody_announced_are_not_kept(server: Server, route: str):
    before = memory(server)

    def pieces():
        yield b'--cut\r\nContent-Disposition: form-data; name="files"; filename="f"\r\n\r\n'
        for _ in range(MAX_BYTES // 1_000_000 + 2):
            yield b"x" * 1_000_000

    # A client that is still sending may miss the answer.
    with server.client() as client, contextlib.suppress(httpx.TransportError):
        reply = client.post(
            f"{API}/{route}",
            content=pieces(),
            headers={"content-type": "multipart/form-data; boundary=cut"},
        )
        assert reply.status_code == 413 and reply.json()["error"].endswith(".")
    assert server.files() == []
    deadline = time.monotonic() + 20
    while memory(server) - before > MAX_BYTES // 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert memory(server) - before < MAX_BYTES // 2
    assert server.raw("/robots.txt")[0] == 200


@pytest.mark.parametrize("route", ["run/predict", "call/predict", "queue/join", "component_server"])
def test_a_call_is_short(server: Server, route: str):
    body = b'{"data": ["' + b"x" * 1_000_000 + b'"]}'
    with contextlib.suppress(OSError):
        status, _ = server.raw(f"{API}/{route}", "POST", body, Content_Type="application/json")
        assert status == 413


@pytest.mark.parametrize("count", [0, 2, 5000])
def test_an_upload_is_one_film(server: Server, film: bytes, count: int):
    part = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="f%d"\r\n\r\nx\r\n'
    body = b"".join(part % number for number in range(count)) + b"--cut--\r\n"
    for route in ("upload", "component_server"):
        status, _ = server.raw(
            f"{API}/{route}", "POST", body, Content_Type="multipart/form-data; boundary=cut"
        )
        assert status in (400, 404)
    assert server.files() == []


@pytest.mark.parametrize("content", [b"", b"\0", b"no film", b"\x89PNG\r\n\x1a\n"])
def test_an_empty_or_odd_file_is_answered(server: Server, content: bytes):
    for reply in (server.analyze(content).json(), server.read(content).json()["data"][0]):
        assert reply["status"] in ("error", "refused") and reply["reason"].endswith(".")


def test_thousands_of_small_uploads_end_in_a_refusal():
    films = Uploads(most=1000)
    tokens = {films.put(b"x") for _ in range(1000)}
    with pytest.raises(Full):
        films.put(b"x")
    assert len(tokens) == 1000 and films.take(tokens.pop()) == b"x"
    films.put(b"x")


def test_uploads_hold_no_more_bytes_than_they_may():
    films = Uploads(keep_bytes=10)
    token = films.put(b"x" * 8)
    with pytest.raises(Full):
        films.put(b"x" * 3)
    assert films.take(token) == b"x" * 8 and films.take(token) is None and len(films) == 0


def test_a_film_nobody_asks_for_is_forgotten_within_minutes(film: bytes, monkeypatch):
    """The same gate in this process, with minutes made short."""
    assert uploads.KEEP_SECONDS <= 10 * 60
    monkeypatch.setattr(middleware, "KEEP_SECONDS", 0.2)
    demo = build_demo()
    app = App.create_app(demo, app_kwargs=launch_arguments()["app_kwargs"])

    async def send_and_wait() -> tuple[int, int]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            await client.post(f"{API}/upload", files={"files": ("f", film)})
            kept = len(demo.uploads)
            await asyncio.sleep(0.5)
            return kept, len(demo.uploads)

    assert run(send_and_wait()) == (1, 0)


def test_the_last_film_of_the_day_is_forgotten_too(film: bytes, stand_ins, monkeypatch):
    assert store.KEEP_SECONDS <= 30 * 60
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))
    monkeypatch.setattr(store, "KEEP_SECONDS", 0.1)
    monkeypatch.setattr(middleware, "STORE_SECONDS", 0.5 - 60)
    demo = build_demo()
    app = App.create_app(demo, app_kwargs=launch_arguments()["app_kwargs"])
    room = next(n for n, block in demo.blocks.items() if block.elem_id == "viewer")
    form = {
        "component_id": str(room),
        "session_hash": "s",
        "fn_name": "analyze",
        "models": "cnn",
        "check": "off",
    }
    tidied = []
    monkeypatch.setattr(
        demo.store, "tidy", lambda: tidied.append(store.ImageStore.tidy(demo.store))
    )

    async def send_and_wait() -> str:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            reply = await client.post(
                f"{API}/component_server", data=form, files={"image": ("f", film)}
            )
            await asyncio.sleep(1)
            return reply.json()["status"]

    assert run(send_and_wait()) == "ok"
    assert tidied == [0]


def test_what_gradio_itself_may_store_is_purged_within_minutes():
    period, age = build_demo().delete_cache
    assert 0 < period <= 300 and 0 < age <= 300
