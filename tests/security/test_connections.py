"""Connections that send nothing, or too slowly, take nothing from those that ask for something."""

from __future__ import annotations

import contextlib
import logging
import socket
import time
from collections.abc import Iterator

import psutil
import pytest

from pneumo.imaging.radiograph import MAX_BYTES
from pneumo.ui.security import connections
from pneumo.ui.security.connections import LOG_LINES_PER_MINUTE, RateLimit
from tests.security.server import API, Server, start, stop

HALF_OPEN = 1100
BEGINNINGS = (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")


@pytest.fixture(scope="module")
def small(stand_ins, tmp_path_factory) -> Iterator[Server]:
    """An app that may open 1,024 descriptors and no more."""
    folder, examples = tmp_path_factory.mktemp("small"), tmp_path_factory.mktemp("nothing")
    (examples / "cases.json").write_text("[]")
    running = start(folder, examples, stand_ins, descriptors=1024)
    yield running
    stop(running)


def open_half(server: Server, count: int, beginning: bytes = b"") -> list[socket.socket]:
    """So many connections whose request has not begun, or does not go on."""
    opened = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        if beginning:
            with contextlib.suppress(OSError):
                connection.sendall(beginning)
        opened.append(connection)
    return opened


def closed_by_server(connection: socket.socket, seconds: float) -> bool:
    connection.settimeout(seconds)
    try:
        while connection.recv(1000):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_half_open_connections_do_not_stop_the_app(small: Server, film: bytes, beginning: bytes):
    printed = len(small.printed())
    opened = open_half(small, HALF_OPEN, beginning)
    try:
        for _ in range(3):
            assert small.raw("/robots.txt")[0] == 200
        assert small.read(film).json()["data"][0]["status"] == "ok"
    finally:
        for connection in opened:
            connection.close()
    assert len(small.printed()) - printed < 100_000


def test_headers_are_waited_for_only_so_long(small: Server):
    waiting = [open_half(small, 1, beginning)[0] for beginning in BEGINNINGS]
    waiting.append(open_half(small, 1, b"GET /robots.txt HTTP/1.1\r\nHost: localhost\r\n\r\nG")[0])
    for connection in waiting:
        assert closed_by_server(connection, connections.HEADER_SECONDS + 10)
        connection.close()
    deadline = time.monotonic() + 10
    process = psutil.Process(small.process.pid)
    while process.net_connections("tcp")[1:] and time.monotonic() < deadline:
        time.sleep(0.2)
    assert small.raw("/robots.txt")[0] == 200


def test_stalled_uploads_leave_room_for_others(small: Server, film: bytes):
    head = (
        f"POST {API}/upload HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Length: {MAX_BYTES}\r\n"
        "Content-Type: multipart/form-data; boundary=cut\r\n\r\n"
        '--cut\r\nContent-Disposition: form-data; name="files"; filename="f"\r\n\r\n'
    )
    stalled = open_half(small, 3)
    try:
        for connection in stalled:
            connection.sendall(head.encode())
            # What is refused at once is closed while it is sent.
            with contextlib.suppress(OSError):
                connection.sendall(bytes(MAX_BYTES - 1_000_000))
        started = time.monotonic()
        assert small.read(film).json()["data"][0]["status"] == "ok"
        assert small.analyze(film).json()["status"] == "ok"
        assert time.monotonic() - started < 60
    finally:
        for connection in stalled:
            connection.close()


def test_memory_is_handed_back_after_a_storm_of_uploads(small: Server, film: bytes):
    process = psutil.Process(small.process.pid)
    small.analyze(film)
    before = process.memory_info().rss
    for _ in range(6):
        assert small.analyze(bytes(60_000_000)).json()["status"] == "error"
    deadline = time.monotonic() + 30
    while process.memory_info().rss - before > 64 << 20 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert process.memory_info().rss - before < 64 << 20


def test_a_log_says_the_same_only_so_often(caplog):
    logger = logging.getLogger("pneumo.tests.flood")
    logger.addFilter(RateLimit())
    for _ in range(1000):
        logger.error("socket.accept() out of system resource")
    assert len(caplog.records) == LOG_LINES_PER_MINUTE
    assert caplog.records[-1].getMessage().endswith("left out.")
