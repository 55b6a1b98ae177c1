"""Connections: headers in time, a bounded number of them, enough descriptors, a log that stays
small."""

import asyncio
import logging
import time
from typing import Any

import uvicorn.config
from uvicorn.protocols.http.h11_impl import H11Protocol

# A browser opens connections ahead of time; one whose request has not begun is opened again.
HEADER_SECONDS = 15.0
# Descriptors for files, decoding processes and the event loop itself.
RESERVED_DESCRIPTORS = 200
WANTED_DESCRIPTORS = 16_384
LOG_LINES_PER_MINUTE = 20


class TimedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with a time limit on a request's headers and a limit on connections.

    uvicorn waits without end for the headers of a first request, so that connections that send
    nothing hold their descriptors until none is left.
    """

    # At one time; one more closes the one that has waited longest for headers.
    most = 1024 - RESERVED_DESCRIPTORS
    headers_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_headers()
        if len(self.connections) > self.most:
            waiting = {
                one.headers_due.when(): one
                for one in self.connections
                if isinstance(one, TimedProtocol) and one.headers_due
            }
            waiting[min(waiting)].transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._headers_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        requests = self.cycle
        super().data_received(data)
        if self.cycle is not requests:
            self._headers_arrived()
        elif self.headers_due is None and (requests is None or requests.response_complete):
            # The next request on a connection that was kept: it has begun, so it has to end.
            self._expect_headers()

    def _expect_headers(self) -> None:
        self.headers_due = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def _headers_arrived(self) -> None:
        if self.headers_due is not None:
            self.headers_due.cancel()
            self.headers_due = None


class RateLimit(logging.Filter):
    """Lets so many records a minute through, and then says that it leaves out the rest."""

    _minute, _count = 0, 0

    def filter(self, record: logging.LogRecord) -> bool:
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._count = minute, 0
        self._count += 1
        if self._count == LOG_LINES_PER_MINUTE:
            record.msg, record.args, record.exc_info = "Further messages are left out.", (), None
        return self._count <= LOG_LINES_PER_MINUTE


def guard_connections() -> None:
    """Before the launch: have uvicorn use `TimedProtocol` (Gradio leaves its protocol at "auto"),
    raise the limit on descriptors, and limit its log."""
    TimedProtocol.most = _raise_descriptors() - RESERVED_DESCRIPTORS
    uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{__name__}:{TimedProtocol.__name__}"
    for name in ("asyncio", "uvicorn.error"):
        logger = logging.getLogger(name)
        if not any(isinstance(one, RateLimit) for one in logger.filters):
            logger.addFilter(RateLimit())


def _raise_descriptors() -> int:
    """The number of descriptors that this process may open from now on."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return WANTED_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    most = WANTED_DESCRIPTORS if hard == endless else min(hard, WANTED_DESCRIPTORS)
    if soft != endless and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most
