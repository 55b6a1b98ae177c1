"""A session in a real browser: nobody else is asked, and nothing of the patient comes back."""

from __future__ import annotations

import base64
import json
import re
import struct
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from tests.e2e.browser.hands import drop, settled
from tests.security.conftest import SECRETS
from tests.security.test_hostile_images import with_chunk
from tests.served import Server

NAME = "Zebrowska^Kunigunde 1931 <b>.dcm"
PICTURE_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
STORED = """async () => {
    const databases = await indexedDB.databases?.() ?? [];
    const caches_ = await caches?.keys?.() ?? [];
    const workers = await navigator.serviceWorker?.getRegistrations?.() ?? [];
    return JSON.stringify({local: {...localStorage}, session: {...sessionStorage},
        cookie: document.cookie, databases, caches: caches_, workers: workers.length,
        history: history.state, name: window.name});
}"""


@dataclass
class Session:
    """What was seen of a page while a person analyzed images.

    Attributes:
        asked: every address the page asked for, websockets included.
        answers: body of every answer.
        pictures: bodies of those that are about an image or the gallery.
        complaints: what the browser's console said of the content policy.
        stored: the browser's storage as JSON, after each image.
        shown: the page's markup, after each image.
        cookies: of the browser.
    """

    asked: list[str] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    cookies: list = field(default_factory=list)


def told(message, complaints: list[str]) -> None:
    if "Content Security" in message.text:
        complaints.append(message.text)


@pytest.fixture(scope="module")
def session(server: Server, chromium, dicom: bytes, png: bytes) -> Session:
    seen, replies = Session(), []
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.set_default_timeout(90_000)
    page.on("request", lambda request: seen.asked.append(request.url))
    page.on("websocket", lambda socket: seen.asked.append(socket.url))
    page.on("requestfinished", lambda request: replies.append(request))
    page.on("console", lambda message: told(message, seen.complaints))
    page.goto(server.url)
    page.wait_for_selector(".pn-example")
    noted = with_chunk(png, b"tEXt", b"Comment\0Zebrowska Kunigunde PID-4711-XQ")
    for content in (dicom, noted, b"Zebrowska"):
        drop(page, content, NAME)
        settled(page, "error" if content == b"Zebrowska" else None)
        seen.stored.append(page.evaluate(STORED))
        seen.shown.append(page.content())
    page.click(".pn-example")
    settled(page)
    page.get_by_role("tab", name="Model card").click()
    page.get_by_role("tab", name="Many radiographs").click()
    page.set_input_files(
        ".pn-batch .pn-file",
        [{"name": NAME, "mimeType": "", "buffer": content} for content in (dicom, png, b"-")],
    )
    page.wait_for_selector(".pn-batch[data-running=no][data-rows='3']")
    seen.stored.append(page.evaluate(STORED))
    for request in replies:
        reply = request.response()
        if "heartbeat" not in request.url and reply and reply.status < 300:
            seen.answers.append(reply.body())
            if "component_server" in request.url:
                seen.pictures.append(reply.body())
    seen.cookies = context.cookies()
    context.close()
    return seen


def test_page_and_server_ask_nobody_else(server: Server, session: Session):
    own = ("", f"127.0.0.1:{server.port}")
    assert [url for url in session.asked if urlsplit(url).netloc not in own] == []
    assert len(session.asked) > 5 and session.complaints == []
    assert [line for line in server.reached() if not line.startswith("own")] == []


def test_nothing_of_the_patient_comes_back_or_stays(server: Server, session: Session):
    said = b"\n".join(session.answers).decode(errors="replace") + "".join(session.shown)
    said += server.printed()
    assert len(session.answers) > 5
    assert [secret for secret in SECRETS if secret in said] == []
    assert server.files() == [] and session.cookies == []
    for stored in session.stored:
        for secret in (*SECRETS, "PNEUMONIA", "probability", "DICOM", "iVBOR"):
            assert secret not in stored
        things = json.loads(stored)
        assert not things["databases"] and not things["caches"] and not things["workers"]
        assert len(stored) < 2000


def test_every_picture_is_a_png_of_pixels_only(session: Session):
    said = b"\n".join(session.pictures)
    pictures = [base64.b64decode(text) for text in re.findall(rb"iVBORw0KGgo[A-Za-z0-9+/=]+", said)]
    assert len(pictures) >= 5
    for png in pictures:
        place, kinds = 8, []
        while place < len(png):
            (length,) = struct.unpack(">I", png[place : place + 4])
            kinds.append(png[place + 4 : place + 8])
            place += length + 12
        assert set(kinds) <= PICTURE_CHUNKS and kinds[-1] == b"IEND" and place == len(png)
    # How base64 of JPEG, WebP and GIF begins.
    assert not re.search(rb'"(/9j/|UklGR|R0lGOD)', said)


def test_a_program_gets_nothing_of_the_patient_either(server: Server, dicom: bytes):
    said = ""
    for content in (dicom, dicom[:200], dicom[:700], dicom[: len(dicom) // 2]):
        said += server.read(content, NAME).text + server.analyze(content, NAME).text
    said += server.printed()
    assert '"ok"' in said and [secret for secret in (*SECRETS, NAME) if secret in said] == []
