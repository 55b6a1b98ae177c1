"""The gate before Gradio: only what the page and the public events need comes through.

Gradio serves much that this app has no use for (files of the disk, a proxy, screen recordings for
ffmpeg, stored links), keeps uploads on disk under their names, and downloads any address it finds
in a file's description. The gate lets known addresses pass, holds every request to its limits,
takes images into memory itself, and lets no error out but the sentences of the catalogue.
"""

import asyncio
import json
import logging
import re
import threading
from collections.abc import Iterator, Set
from contextlib import contextmanager
from typing import Any

import anyio
from gradio.data_classes import DataWithFiles
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pneumo.imaging.radiograph import MAX_BYTES
from pneumo.ui.security.calls import parsed, plain_call
from pneumo.ui.security.hosts import check_host
from pneumo.ui.security.limits import (
    CALL_BYTES,
    IMAGE_BYTES,
    SMALL_BYTES,
    Budget,
    Limited,
    Refusal,
    announced_length,
    image_form,
    return_memory,
    whole_body,
)
from pneumo.ui.security.queue import MOST_WAITING, keep_queue
from pneumo.ui.security.uploads import KEEP_SECONDS, Full
from pneumo.ui.store import KEEP_SECONDS as STORE_SECONDS
from pneumo.ui.store import sender_gone
from pneumo.ui.texts import catalogue, language_of, requested, text
from pneumo.ui.web import in_language

API = "/gradio_api"
HEALTH = "/health"
LOOKS = re.compile(
    r"/|/config/?|/theme\.css|/robots\.txt|/favicon\.ico|/manifest\.json|/(assets|static)/[^\\]+"
    rf"|{API}/(theme\.css|info/?|openapi\.json|startup-events|app_id/?|login_check/?|queue/status"
    rf"|queue/data|heartbeat/[\w-]+|call/(v2/)?[\w-]+/[\w-]+)"
)
CALLS = re.compile(rf"{API}/(?:(?P<how>run|api|call/v2|call)/(?P<name>[\w-]+)/?|queue/join)")
# Images that are arriving or being analyzed; the store counts those it keeps.
ALL_IMAGES, RESERVED = 3 * IMAGE_BYTES, IMAGE_BYTES
ALL_CALLS = 1000 * CALL_BYTES
RETRY_SECONDS = "5"
# After a request that held more, memory is handed back once all is quiet for so long.
MUCH, QUIET_SECONDS = 4 * 1024 * 1024, 1.0
HEADERS = {
    # The page's own scripts stand in the page; nothing may come from or go to another host. The
    # page of a Space is shown inside huggingface.co.
    "content-security-policy": "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'self' https://huggingface.co",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Gate:
    """ASGI middleware of a Gradio app whose Blocks has `uploads` and `store`; hosts as by
    `allowed_hosts`."""

    def __init__(self, app: ASGIApp, hosts: Set[str] | None = None) -> None:
        self.app, self.hosts = app, hosts
        self.images, self.calls = Budget(ALL_IMAGES, RESERVED), Budget(ALL_CALLS)
        self.waiting = Budget(MOST_WAITING)
        self._tidying: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        if scope["type"] != "http":
            return
        out = _Out(scope, receive, send)
        try:
            await self._let_in(scope, receive, out)
        except Refusal as refusal:
            await out.refuse(refusal.status)
        except ClientDisconnect:
            pass
        except Exception as error:
            # Without its message, which may hold what was sent.
            logging.getLogger(__name__).error("a request failed: %s", type(error).__name__)
            await out.refuse(500)

    async def _let_in(self, scope: Scope, receive: Receive, out: "_Out") -> None:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        blocks, method = scope["app"].get_blocks(), scope["method"]
        if path == HEALTH and method in ("GET", "HEAD"):
            # Also for a probe that knows the app by its address alone.
            ready = blocks.store.ready.is_set()
            await out.say({"status": "ready" if ready else "loading"}, 200 if ready else 503)
            return
        headers = Headers(scope=scope)
        check_host(headers, self.hosts)
        accepted = headers.get("accept-language", "")
        requested.set(language_of(headers.get("cookie", ""), accepted))
        call = CALLS.fullmatch(path)
        if call or path.startswith((f"{API}/queue", f"{API}/call")):
            keep_queue(blocks)
        if method in ("GET", "HEAD") and LOOKS.fullmatch(path):
            # Gradio keeps this with the first visitor's Host in its addresses, whatever it was.
            scope["app"].api_info = None
            send: Send = out
            if path == "/" or path.startswith("/config"):
                send = _in_language(out)
            await self.app(scope, receive, send)
        elif method != "POST":
            raise Refusal(404)
        elif call:
            body = await self._json(scope, receive)
            body = plain_call(body, call["how"], call["name"], blocks)
            with self.waiting.holding():
                await self.app(_with_length(scope, len(body)), _again(body, receive), out)
        elif path == f"{API}/upload":
            await out.say(await self._keep(scope, receive, blocks))
        elif path.rstrip("/") == f"{API}/component_server":
            with self.waiting.holding():
                await out.say(await self._serve(scope, receive, blocks))
        elif path.rstrip("/") == f"{API}/reset":
            await out.say({"success": True})
        else:
            raise Refusal(404)

    async def _json(self, scope: Scope, receive: Receive) -> bytes:
        # Other kinds can be sent from foreign pages without asking the browser's leave.
        if not Headers(scope=scope).get("content-type", "").startswith("application/json"):
            raise Refusal(400)
        announced_length(scope, CALL_BYTES)
        with Limited(receive, CALL_BYTES, self.calls) as limited:
            return await whole_body(limited)

    @contextmanager
    def _image(self, scope: Scope, receive: Receive) -> Iterator[Limited]:
        """A `receive` for an image, and its memory handed back when the request is answered."""
        announced = announced_length(scope, IMAGE_BYTES)
        small = announced is not None and announced <= SMALL_BYTES
        with Limited(receive, IMAGE_BYTES, self.images, small) as limited:
            try:
                yield limited
            finally:
                if limited.seen > MUCH:
                    self._tidy_later()

    def _tidy_later(self) -> None:
        loop = asyncio.get_running_loop()
        if self._tidying is not None:
            self._tidying.cancel()
        self._tidying = loop.call_later(QUIET_SECONDS, loop.run_in_executor, None, return_memory)

    async def _keep(self, scope: Scope, receive: Receive, blocks: Any) -> list[str]:
        """Keep the one image of a form for a while; its token stands where Gradio gives a path."""
        with self._image(scope, receive) as limited:
            _, images = await image_form(scope, limited)
        if len(images) != 1:
            raise Refusal(400)
        try:
            token = blocks.uploads.put(images[0])
        except Full:
            raise Refusal(503) from None
        asyncio.get_running_loop().call_later(KEEP_SECONDS, blocks.uploads.take, token)
        return [token]

    async def _serve(self, scope: Scope, receive: Receive, blocks: Any) -> object:
        """Call a component's server function, as Gradio does it but without its temporary files."""
        # An image that stays the last of the day is forgotten too.
        asyncio.get_running_loop().call_later(STORE_SECONDS + 60, blocks.store.tidy)
        if Headers(scope=scope).get("content-type", "").startswith("multipart/form-data"):
            with self._image(scope, receive) as limited:
                fields, images = await image_form(scope, limited)
                data = DataWithFiles(data=fields, files=[("image", image) for image in images])
                return await _called(blocks, fields, data, receive)
        fields = parsed(await self._json(scope, receive))
        return await _called(blocks, fields, fields.get("data"), receive)


async def _called(blocks: Any, fields: dict, data: object, receive: Receive) -> object:
    """What a server function returns; `sender_gone` is set when nobody waits any more."""
    number, name = str(fields.get("component_id")), fields.get("fn_name")
    block = blocks.blocks.get(int(number)) if re.fullmatch(r"[0-9]{1,6}", number) else None
    function: Any = getattr(block, name, None) if isinstance(name, str) else None
    if not getattr(function, "_is_server_fn", False):
        raise Refusal(404)
    gone = threading.Event()
    sender_gone.set(gone)

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    watcher = asyncio.create_task(watch())
    try:
        return await anyio.to_thread.run_sync(function, data, limiter=blocks.limiter)
    finally:
        watcher.cancel()


class _Out:
    """A `send` that adds the headers and puts the catalogue's sentences in place of errors."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._begun, self._failed, self._body = False, 0, b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] >= 400:
                self._failed = message["status"]
                return
            self._begun = True
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            if self._scope["method"] == "POST":
                headers["cache-control"] = "no-store"
        elif self._failed:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self.refuse(self._failed)
            return
        await self._send(message)

    async def say(self, answer: object, status: int = 200) -> None:
        """Send a JSON answer, in letters that every answer can be sent in."""
        self._begun = True
        headers = HEADERS | {"cache-control": "no-store", "content-type": "application/json"}
        headers |= {"retry-after": RETRY_SECONDS} if status == 503 else {}
        reply = Response(json.dumps(answer), status, headers)
        await reply(self._scope, self._receive, self._send)

    async def refuse(self, status: int) -> None:
        """Send the sentence of a status; 422 and one of our own functions' if they gave one."""
        if self._begun:
            return
        known = status if f"gate.{status}" in catalogue() else 400
        sentence = text(f"gate.{known}", limit=MAX_BYTES // 1024**2)
        own = _own_sentence(self._body) if status == 500 else None
        await self.say({"error": own or sentence}, 422 if own else status)


def _in_language(send: Send) -> Send:
    """A `send` for the page, which goes out as a whole and in the language of the request."""
    start: Message = {}
    body = b""

    async def give(message: Message) -> None:
        nonlocal start, body
        if message["type"] == "http.response.start":
            start = message
            return
        body += message.get("body", b"")
        if message.get("more_body"):
            return
        body = in_language(body.decode()).encode()
        if "content-length" in (headers := MutableHeaders(scope=start)):
            headers["content-length"] = str(len(body))
        headers["vary"] = "accept-language, cookie"
        await send(start)
        await send({"type": "http.response.body", "body": body})

    return give


def _own_sentence(body: bytes) -> str | None:
    """The message of a gr.Error; launch(show_error=False) keeps every other error silent."""
    try:
        error = json.loads(body).get("error")
    except (ValueError, AttributeError):
        return None
    return error if isinstance(error, str) else None


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body which was read already."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return first.pop() if first else await receive()

    return give


def _with_length(scope: Scope, length: int) -> Scope:
    headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
    return {**scope, "headers": [*headers, (b"content-length", str(length).encode())]}
