"""What a request may cost: bytes, time between two pieces, memory for all of them together."""

from __future__ import annotations

import anyio
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from pneumo.imaging.film import MAX_BYTES

# A question without a film, and what a form may hold besides its film.
CALL_BYTES = 64 * 1024
# A slow line takes minutes for a large film; one that sends a byte a minute is no line.
PATIENCE_SECONDS = 60
MOST_SECONDS = 15 * 60


class Refusal(Exception):
    """The request is not answered, except by the sentence of this http status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Budget:
    """Bytes that all requests together may hold at one time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0

    def take(self, count: int) -> None:
        """Hold some more bytes.

        Raises:
            Refusal: 503 when there is no room for them.
        """
        if self.held + count > self.most:
            raise Refusal(503)
        self.held += count

    def give(self, count: int) -> None:
        """Hold them no longer."""
        self.held -= count


class Limited:
    """A `receive` that hands on so many bytes and no more, and waits only so long for them.

    It holds its bytes in the budget until the end of its context, when the request is answered.
    """

    def __init__(self, receive: Receive, most: int, budget: Budget) -> None:
        self._receive = receive
        self._most = most
        self._budget = budget
        self._seen = 0
        self._end = anyio.current_time() + MOST_SECONDS

    def __enter__(self) -> Limited:
        return self

    def __exit__(self, *cause: object) -> None:
        self._budget.give(self._seen)

    async def __call__(self) -> Message:
        try:
            left = self._end - anyio.current_time()
            with anyio.fail_after(min(PATIENCE_SECONDS, left)):
                message = await self._receive()
        except TimeoutError:
            raise Refusal(408) from None
        count = len(message.get("body", b""))
        if self._seen + count > self._most:
            raise Refusal(413)
        self._budget.take(count)
        self._seen += count
        return message


class _InMemory(MultiPartParser):
    # Above this size starlette would write the film to the disk.
    spool_max_size = MAX_BYTES + CALL_BYTES


async def film_form(scope: Scope, receive: Limited) -> tuple[dict[str, str], list[bytes]]:
    """The fields of a form and the contents of its file, if there is one, without its name.

    Raises:
        Refusal: 400 when it is no form, has too many fields or more than one file.
    """
    parser = _InMemory(
        Headers(scope=scope), Request(scope, receive).stream(), max_files=1, max_fields=30,
        max_part_size=CALL_BYTES,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeError):
        raise Refusal(400) from None
    fields, films = {}, []
    for name, part in form.multi_items():
        if isinstance(part, UploadFile):
            films.append(await part.read())
            await part.close()
        else:
            fields[name] = part
    return fields, films


def check_length(scope: Scope, most: int) -> None:
    """Refuse a request that announces more than it may hold, before any of it is read.

    Raises:
        Refusal: 413, or 400 when the announcement is no number.
    """
    length = Headers(scope=scope).get("content-length", "0")
    if not length.isdecimal():
        raise Refusal(400)
    if len(length) > 15 or int(length) > most:
        raise Refusal(413)


async def whole_body(receive: Limited) -> bytes:
    """All of a short request.

    Raises:
        Refusal: as `Limited`, and 400 when the other side has gone.
    """
    pieces = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refusal(400)
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)
