"""The gate before Gradio: only what the page and the public events need comes through.

Gradio serves much that this app has no use for (files of the disk, a proxy, screen recordings for
ffmpeg, stored links), keeps uploads on disk under their names, and downloads any address it finds
in a file's description. The gate lets known addresses pass, holds every request to its size, takes
films into memory itself, and lets no error out but the sentences of the catalogue.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Set

import anyio
import gradio as gr
from gradio.data_classes import DataWithFiles
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pneumo.imaging.film import MAX_BYTES
from pneumo.ui.desk import KEEP_SECONDS as DESK_SECONDS
from pneumo.ui.security.calls import parsed, plain_call
from pneumo.ui.security.hosts import check_host
from pneumo.ui.security.limits import (
    CALL_BYTES,
    Budget,
    Limited,
    Refusal,
    check_length,
    film_form,
    whole_body,
)
from pneumo.ui.security.uploads import KEEP_SECONDS, Full
from pneumo.ui.texts import ENGLISH, text

API = "/gradio_api"
LOOKS = re.compile(
    r"/|/config/?|/theme\.css|/robots\.txt|/favicon\.ico|/manifest\.json|/(assets|static)/[^\\]+"
    rf"|{API}/(theme\.css|info/?|openapi\.json|startup-events|app_id/?|login_check/?|queue/status"
    rf"|queue/data|heartbeat/[\w-]+|call/(v2/)?[\w-]+/[\w-]+)"
)
CALLS = re.compile(rf"{API}/(?:(?P<how>run|api|call/v2|call)/(?P<name>[\w-]+)/?|queue/join)")
FILM_BYTES = MAX_BYTES + CALL_BYTES
# Films that are arriving or being read; the desk counts those it keeps.
ALL_BYTES = 3 * FILM_BYTES
HEADERS = {
    # The page's own scripts stand in the page; nothing may come from or go to another host.
    "content-security-policy": "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Gate:
    """ASGI middleware of a Gradio app whose Blocks has `uploads`.

    Args:
        app: the Gradio app.
        hosts: names under which it may be asked for, as `allowed_hosts` gives them.
    """

    def __init__(self, app: ASGIApp, hosts: Set[str] | None = None) -> None:
        self.app = app
        self.hosts = hosts
        self.budget = Budget(ALL_BYTES)

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

    async def _let_in(self, scope: Scope, receive: Receive, out: _Out) -> None:
        check_host(Headers(scope=scope), self.hosts)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        blocks, method = scope["app"].get_blocks(), scope["method"]
        call = CALLS.fullmatch(path)
        if method in ("GET", "HEAD") and LOOKS.fullmatch(path):
            # Gradio keeps this with the first visitor's Host in its addresses, whatever it was.
            scope["app"].api_info = None
            await self.app(scope, receive, out)
        elif method != "POST":
            raise Refusal(404)
        elif call:
            body = await self._json(scope, receive)
            body = plain_call(body, call["how"], call["name"], blocks)
            await self.app(_with_length(scope, len(body)), _again(body, receive), out)
        elif path == f"{API}/upload":
            await out.say(await self._keep(scope, receive, blocks))
        elif path.rstrip("/") == f"{API}/component_server":
            await self._serve(scope, receive, out, blocks)
        elif path.rstrip("/") == f"{API}/reset":
            await out.say({"success": True})
        else:
            raise Refusal(404)

    async def _json(self, scope: Scope, receive: Receive) -> bytes:
        # Other kinds can be sent from foreign pages without asking the browser's leave.
        if not Headers(scope=scope).get("content-type", "").startswith("application/json"):
            raise Refusal(400)
        check_length(scope, CALL_BYTES)
        with Limited(receive, CALL_BYTES, self.budget) as limited:
            return await whole_body(limited)

    async def _keep(self, scope: Scope, receive: Receive, blocks: gr.Blocks) -> list[str]:
        """Keep the one film of a form for a while; its token stands where Gradio gives a path."""
        check_length(scope, FILM_BYTES)
        with Limited(receive, FILM_BYTES, self.budget) as limited:
            _, films = await film_form(scope, limited)
        if len(films) != 1:
            raise Refusal(400)
        try:
            token = blocks.uploads.put(films[0])
        except Full:
            raise Refusal(503) from None
        asyncio.get_running_loop().call_later(KEEP_SECONDS, blocks.uploads.take, token)
        return [token]

    async def _serve(self, scope: Scope, receive: Receive, out: _Out, blocks: gr.Blocks) -> None:
        """Call a component's server function, as Gradio does it but without its temporary files."""
        # A film that stays the last of the day is forgotten too.
        asyncio.get_running_loop().call_later(DESK_SECONDS + 60, blocks.desk.tidy)
        if Headers(scope=scope).get("content-type", "").startswith("multipart/form-data"):
            check_length(scope, FILM_BYTES)
            with Limited(receive, FILM_BYTES, self.budget) as limited:
                fields, films = await film_form(scope, limited)
                data = DataWithFiles(data=fields, files=[("film", film) for film in films])
                await out.say(await _called(blocks, fields, data))
        else:
            fields = parsed(await self._json(scope, receive))
            await out.say(await _called(blocks, fields, fields.get("data")))


async def _called(blocks: gr.Blocks, fields: dict, data: object) -> object:
    number, name = str(fields.get("component_id")), fields.get("fn_name")
    block = blocks.blocks.get(int(number)) if re.fullmatch(r"[0-9]{1,6}", number) else None
    function = getattr(block, name, None) if isinstance(name, str) else None
    if not getattr(function, "_is_server_fn", False):
        raise Refusal(404)
    return await anyio.to_thread.run_sync(function, data, limiter=blocks.limiter)


class _Out:
    """A `send` that adds the headers and puts the catalogue's sentences in place of errors."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._begun = False
        self._failed = 0
        self._body = b""

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

    async def say(self, answer: object) -> None:
        """Send a json answer."""
        await JSONResponse(answer)(self._scope, self._receive, self)

    async def refuse(self, status: int) -> None:
        """Send the sentence of a status; one of our own functions' if they gave one."""
        if self._begun:
            return
        self._begun = True
        key = f"gate.{status}" if f"gate.{status}" in ENGLISH else "gate.400"
        sentence = text(key, limit=MAX_BYTES // 1024**2)
        if status == 500:
            sentence = _own_sentence(self._body) or sentence
        reply = JSONResponse({"error": sentence}, status, HEADERS | {"cache-control": "no-store"})
        await reply(self._scope, self._receive, self._send)


def _own_sentence(body: bytes) -> str | None:
    """The message of a gr.Error; launch(show_error=False) keeps every other error silent."""
    try:
        error = json.loads(body).get("error")
    except (ValueError, AttributeError):
        return None
    return error if isinstance(error, str) else None


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body which was read already."""
    given = False

    async def give() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give


def _with_length(scope: Scope, length: int) -> Scope:
    headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
    return {**scope, "headers": [*headers, (b"content-length", str(length).encode())]}
