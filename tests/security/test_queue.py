"""Gradio's queue of calls stays bounded, and runs again when it has stopped."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from pneumo.ui.layout import build_demo, launch
from pneumo.ui.security.queue import MOST_WAITING
from tests.security.server import API, Server, start, stop

CALLS = 2400


@pytest.fixture(scope="module")
def flooded(stand_ins, tmp_path_factory) -> Iterator[Server]:
    """An app of its own, on a Space."""
    folder, examples = tmp_path_factory.mktemp("queue"), tmp_path_factory.mktemp("nothing")
    (examples / "cases.json").write_text("[]")
    settings = {"SPACE_ID": "me/pneumo", "GRADIO_SERVER_NAME": "127.0.0.1"}
    running = start(folder, examples, stand_ins, **settings)
    yield running
    stop(running)


async def join(server: Server) -> Counter:
    """How often each status was answered when so many new sessions joined the queue at once."""
    numbers, answers = iter(range(CALLS)), Counter()

    async def side(client: httpx.AsyncClient) -> None:
        for number in numbers:
            call = {"data": [None, "cnn"], "fn_index": 0, "session_hash": f"s{number}"}
            reply = await client.post(f"{API}/queue/join", json=call)
            answers[reply.status_code] += 1

    async with httpx.AsyncClient(base_url=server.url, timeout=600, trust_env=False) as client:
        await asyncio.gather(*(side(client) for _ in range(50)))
    return answers


def called(server: Server, image: bytes) -> str:
    """What a call through the queue is answered, by the commands of the README."""
    path = server.upload(image).json()[0]
    values = [{"path": path, "meta": {"_type": "gradio.FileData"}}, "cnn", None, False, False]
    with server.client() as client:
        event = client.post(f"{API}/call/predict", json={"data": values}).json()["event_id"]
        return client.get(f"{API}/call/predict/{event}").text


def test_calls_are_answered_on_a_space(flooded: Server, film: bytes):
    assert '"status": "ok"' in called(flooded, film)
    assert flooded.read(film).json()["data"][0]["status"] == "ok"


def test_a_flood_of_new_sessions_does_not_end_the_queue(flooded: Server, film: bytes):
    memory = psutil.Process(flooded.process.pid).memory_info().rss
    # In a thread of its own: the browser of other tests has a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        answers = thread.submit(asyncio.run, join(flooded)).result()
    assert set(answers) <= {200, 503}
    deadline = time.monotonic() + 60
    while True:
        waiting = flooded.raw(f"{API}/queue/status")[1]
        if b'"queue_size":0' in waiting or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    assert '"status": "ok"' in called(flooded, film)
    assert psutil.Process(flooded.process.pid).memory_info().rss - memory < 100 << 20
    assert "Traceback" not in flooded.printed()


def test_a_queue_that_has_stopped_is_started_again(film: bytes, stand_ins, monkeypatch, tmp_path):
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    demo = build_demo(tmp_path)
    assert demo._queue.max_size == MOST_WAITING
    launch(demo, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    try:
        demo._queue.close()
        time.sleep(0.2)
        with httpx.Client(base_url=demo.local_url, timeout=60, trust_env=False) as client:
            event = client.post(f"{API}/call/models", json={"data": []}).json()["event_id"]
            assert client.get(f"{API}/call/models/{event}").text.startswith("event: complete")
    finally:
        demo.close()
