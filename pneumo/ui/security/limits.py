"""What a request may cost: bytes, time, and memory for all of them together."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import anyio
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from pneumo.imaging.radiograph import MAX_BYTES

# A request without an image, and what a form may hold besides its image.
CALL_BYTES = 64 * 1024
IMAGE_BYTES = MAX_BYTES + CALL_BYTES
# A usual radiograph; requests of up to this size have a part of the memory for themselves.
SMALL_BYTES = 32 * 1024 * 1024
# A slow line takes minutes for a large image, but it brings so many bytes in every window.
WINDOW_SECONDS = 15.0
WINDOW_BYTES = 120_000
MOST_SECONDS = 15 * 60


class Refusal(Exception):
    """The request is answered by nothing but the sentence of this HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Budget:
    """Bytes, or places, that all requests together may hold; only small ones take the reserve."""

    def __init__(self, most: int, reserve: int = 0) -> None:
        self.most, self.reserve, self.held = most, reserve, 0

    def take(self, count: int, small: bool = True) -> None:
        """Hold some more bytes, or refuse with 503."""
        if self.held + count > self.most - (0 if small else self.reserve):
            raise Refusal(503)
        self.held += count

    def give(self, count: int) -> None:
        """Hold them no longer."""
        self.held -= count

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold one place meanwhile."""
        self.take(1)
        try:
            yield
        finally:
            self.give(1)


class Limited:
    """A `receive` that hands on so many bytes and no more, and waits only so long for them.

    It holds its bytes in the budget until the end of its context, when the request is answered.
    """

    def __init__(self, receive: Receive, most: int, budget: Budget, small: bool = True) -> None:
        self._receive, self._most, self._budget, self._small = receive, most, budget, small
        self.seen = 0
        self._end = anyio.current_time() + MOST_SECONDS
        self._window_end, self._window_seen = anyio.current_time() + WINDOW_SECONDS, 0

    def __enter__(self) -> "Limited":
        return self

    def __exit__(self, *cause: object) -> None:
        self._budget.give(self.seen)

    async def __call__(self) -> Message:
        now = anyio.current_time()
        if now >= self._window_end:
            if self.seen - self._window_seen < WINDOW_BYTES:
                raise Refusal(408)
            self._window_end, self._window_seen = now + WINDOW_SECONDS, self.seen
        try:
            with anyio.fail_after(max(0.0, min(WINDOW_SECONDS, self._end - now))):
                message = await self._receive()
        except TimeoutError:
            raise Refusal(408) from None
        count = len(message.get("body", b""))
        if self.seen + count > self._most:
            raise Refusal(413)
        self._budget.take(count, self._small)
        self.seen += count
        return message


class _InMemory(MultiPartParser):
    # Above this size starlette would write the image to the disk.
    spool_max_size = IMAGE_BYTES


async def image_form(scope: Scope, receive: Limited) -> tuple[dict[str, str], list[bytes]]:
    """The fields of a form and the contents of its file, if there is one, without its name.

    Refuses with 400 what is no form, or has too many fields or more than one file.
    """
    parser = _InMemory(
        Headers(scope=scope),
        Request(scope, receive).stream(),
        max_files=1,
        max_fields=30,
        max_part_size=CALL_BYTES,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeError):
        raise Refusal(400) from None
    fields: dict[str, str] = {}
    images: list[bytes] = []
    for name, part in form.multi_items():
        if isinstance(part, UploadFile):
            images.append(await part.read())
            await part.close()
        else:
            fields[name] = part
    return fields, images


def announced_length(scope: Scope, most: int) -> int | None:
    """The bytes that a request announces, if any; refuses too many (413) and no number (400)."""
    length = Headers(scope=scope).get("content-length")
    if length is None:
        return None
    if not length.isdecimal():
        raise Refusal(400)
    if len(length) > 15 or int(length) > most:
        raise Refusal(413)
    return int(length)


async def whole_body(receive: Limited) -> bytes:
    """All of a short request; refuses as `Limited`, and with 400 when the other side has gone."""
    pieces = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refusal(400)
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


def return_memory() -> None:
    """Hand memory that is no longer used back to the system; glibc keeps it else."""
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)
