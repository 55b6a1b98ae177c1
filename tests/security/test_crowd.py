"""Thousands of files at once from many sides: the server stays small and keeps answering."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from pneumo.ui.security.uploads import MOST
from tests.security.server import API, Server, start, stop

FILES = 1500
SIDES = 100


@pytest.fixture(scope="module")
def crowded(stand_ins, tmp_path_factory) -> Iterator[Server]:
    """An app of its own: what fills it up would be missing to the other tests."""
    folder, examples = tmp_path_factory.mktemp("crowd"), tmp_path_factory.mktemp("nothing")
    (examples / "cases.json").write_text("[]")
    running = start(folder, examples, stand_ins)
    yield running
    stop(running)


async def sent_at_once(server: Server, path: str, content: bytes, **form: str) -> Counter:
    """How often each status was answered when a small file was sent from many sides at once."""
    limits = httpx.Limits(max_connections=SIDES, max_keepalive_connections=SIDES)
    async with httpx.AsyncClient(
        base_url=server.url, limits=limits, timeout=600, trust_env=False
    ) as client:

        async def send() -> int:
            files = {"film" if form else "files": ("x.png", content)}
            return (await client.post(f"{API}/{path}", data=form, files=files)).status_code

        return Counter(await asyncio.gather(*(send() for _ in range(FILES))))


@pytest.mark.slow
@pytest.mark.parametrize("path", ["upload", "component_server"])
def test_thousands_of_files_at_once(crowded: Server, film: bytes, path: str) -> None:
    form = {}
    if path == "component_server":
        form = {
            "component_id": str(crowded.component()),
            "session_hash": "crowd",
            "fn_name": "analyze",
            "models": "cnn",
            "check": "off",
        }
    crowded.analyze(film)  # What a first reading loads is no part of the crowd.
    process = psutil.Process(crowded.process.pid)
    memory, handles = process.memory_info().rss, process.num_fds()
    # In a thread of its own: the browser of other tests has a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        content = b"\x89PNG\r\n\x1a\n" + b"x" * 2000
        answers = thread.submit(asyncio.run, sent_at_once(crowded, path, content, **form)).result()
    expected = {200: MOST, 503: FILES - MOST} if path == "upload" else {200: FILES}
    assert answers == expected
    assert process.memory_info().rss - memory < 150 << 20
    assert process.num_fds() <= handles + 2 * SIDES
    assert crowded.files() == []
    # The page's own way is open, also when no further upload is kept for a program.
    assert crowded.analyze(film).json()["status"] == "ok"
    assert crowded.raw("/robots.txt")[0] == 200
