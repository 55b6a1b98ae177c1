"""Connections, uploads and calls in great number take nothing from those that ask for something."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path

import httpx
import psutil
import pytest

from pneumo.imaging.radiograph import MAX_BYTES
from pneumo.ui.layout import build_demo, launch
from pneumo.ui.security.connections import HEADER_SECONDS
from pneumo.ui.security.queue import MOST_WAITING
from tests.security.test_uploads import BEGINNING
from tests.served import API, Server, run_apart, running_app

REQUEST = b"GET /robots.txt HTTP/1.1\r\nHost: localhost\r\n"
# Nothing, half a line, half of the headers, and half of a second request.
BEGINNINGS = (b"", b"GET / HT", REQUEST, REQUEST + b"\r\nG")


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Iterator[Server]:
    """An app on a Space, without examples, that may open 1,024 descriptors and no more."""
    examples = tmp_path_factory.mktemp("nothing")
    settings = {"SPACE_ID": "me/pneumo", "PNEUMO_EXAMPLES": str(examples)}
    with running_app(tmp_path_factory.mktemp("small"), descriptors=1024, **settings) as running:
        yield running


def opened(server: Server, count: int) -> list[socket.socket]:
    """So many connections whose request has not begun, or does not go on."""
    made = []
    for number in range(count):
        made.append(socket.create_connection(("127.0.0.1", server.port), timeout=30))
        with contextlib.suppress(OSError):
            made[-1].sendall(BEGINNINGS[number % len(BEGINNINGS)])
    return made


def test_half_open_connections_do_not_stop_the_app_and_are_closed(small: Server, png: bytes):
    waiting = opened(small, 1100)
    try:
        assert small.raw("/robots.txt")[0] == 200
        assert small.read(png).json()["data"][0]["status"] == "ok"
        for connection in waiting[-len(BEGINNINGS) :]:
            connection.settimeout(HEADER_SECONDS + 10)
            with contextlib.suppress(ConnectionError):
                while connection.recv(1000):
                    pass
    finally:
        for connection in waiting:
            connection.close()
    assert len(small.printed()) < 100_000


def test_stalled_uploads_leave_room_for_others(small: Server, png: bytes):
    head = (
        f"POST {API}/upload HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Length: {MAX_BYTES}\r\n{BEGINNING}"
    )
    stalled = [socket.create_connection(("127.0.0.1", small.port)) for _ in range(3)]
    try:
        for connection in stalled:
            connection.sendall(head.encode())
            # What is refused at once is closed while it is sent.
            with contextlib.suppress(OSError):
                connection.sendall(bytes(MAX_BYTES - 1_000_000))
        assert small.read(png).json()["data"][0]["status"] == "ok"
        assert small.analyze(png).json()["status"] == "ok"
    finally:
        for connection in stalled:
            connection.close()


def test_memory_is_handed_back_after_a_storm_of_uploads(small: Server, png: bytes):
    process = psutil.Process(small.process.pid)
    small.analyze(png)
    before = process.memory_info().rss
    for _ in range(3):
        assert small.analyze(bytes(60_000_000)).json()["status"] == "error"
    deadline = time.monotonic() + 30
    while process.memory_info().rss - before > 64 << 20 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert process.memory_info().rss - before < 64 << 20


def test_many_clients_with_mixed_files_each_get_their_own_answer(small: Server, images: Path):
    def answer(content: bytes) -> tuple:
        record = small.read(content).json()["data"][0]
        return record["status"], record["probability"], record["reason"]

    files = [path.read_bytes() for path in sorted(images.glob("*.png"))] + [b"no image", b""]
    alone = [answer(content) for content in files]
    assert len(set(alone)) == len(files)
    with ThreadPoolExecutor(MOST_WAITING) as pool:
        assert list(pool.map(answer, 12 * files)) == 12 * alone


def test_those_too_many_hear_so_at_once_and_the_others_are_answered(monkeypatch, tmp_path, png):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    demo = build_demo(tmp_path)
    go_on = threading.Event()
    read = demo.store.read
    monkeypatch.setattr(demo.store, "read", lambda *a, **k: go_on.wait(100) and read(*a, **k))
    launch(demo, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    server = Server(demo.server_port, None, tmp_path)
    try:
        with ThreadPoolExecutor(MOST_WAITING + 8) as pool:
            asked = [pool.submit(server.analyze, png) for _ in range(MOST_WAITING + 8)]
            refused = [one.result() for one in islice(as_completed(asked, 100), 8)]
            go_on.set()
            answered = [one.result() for one in asked if one.result() not in refused]
        assert all(one.status_code == 503 and one.json()["error"] for one in refused)
        assert all(int(one.headers["retry-after"]) > 0 for one in refused)
        assert len(answered) == MOST_WAITING
        assert {one.json()["status"] for one in answered} == {"ok"}
        assert server.analyze(png).json()["status"] == "ok"
    finally:
        go_on.set()
        demo.close()


def test_a_stop_finishes_what_runs(tmp_path, png):
    with running_app(tmp_path, PNEUMO_EXAMPLES=str(tmp_path)) as server:
        assert server.analyze(png).json()["status"] == "ok"
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(server.analyze, png, models="cnn,resnet18") for _ in range(8)]
            next(as_completed(asked, 100))
            running = [one for one in asked if not one.done()]
            server.process.terminate()
            answers = [one.result() for one in running if not one.exception()]
        assert answers and all(one.json()["status"] == "ok" for one in answers)
        assert server.process.wait(30) == 0


async def join(url: str, sessions: int) -> set[int]:
    """The answers to calls of so many sessions that join the queue at once."""
    async with httpx.AsyncClient(
        base_url=url, timeout=120, trust_env=False, verify=False
    ) as client:
        calls = (
            client.post(
                f"{API}/queue/join",
                json={"data": [None, "cnn"], "fn_index": 0, "session_hash": f"s{number}"},
            )
            for number in range(sessions)
        )
        return {reply.status_code for reply in await asyncio.gather(*calls)}


def test_the_queue_is_bounded_and_runs_again_when_it_has_stopped(monkeypatch, tmp_path):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    demo = build_demo(tmp_path)
    launch(demo, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    # Gradio keeps 2,000 sessions, and its queue ends when one that it dropped is answered.
    demo._queue.pending_messages_per_session.max_size = 10

    def called() -> str:
        with httpx.Client(base_url=demo.local_url, timeout=60, trust_env=False) as client:
            event = client.post(f"{API}/call/models", json={"data": []}).json()["event_id"]
            return client.get(f"{API}/call/models/{event}").text

    try:
        assert run_apart(join(demo.local_url, 100)) == {200, 503}
        deadline = time.monotonic() + 60
        while len(demo._queue) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not demo._queue.stopped and called().startswith("event: complete")
        demo._queue.close()
        assert called().startswith("event: complete")
    finally:
        demo.close()
