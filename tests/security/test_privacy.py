"""A session in a real browser: nobody else is asked, and nothing of the patient comes back."""

from __future__ import annotations

import base64
import json
import re
import struct
import threading
import time
import zlib
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psutil
import pytest

from tests.e2e.browser.hands import drop, settled
from tests.security.conftest import secrets_of_the_patient
from tests.security.server import Server

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
    """What was seen of a page and its server while a person read films.

    Attributes:
        asked: every address the page asked for, websockets included.
        answers: body of every answer.
        films: bodies of those that are about a film or the gallery.
        complaints: what the browser's console said of the content policy.
        peers: hosts the server process had connections with.
        stored: the browser's storage as json, after each film.
        shown: the page's markup, after each film.
        cookies: of the browser.
    """

    asked: list[str] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    films: list[bytes] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    peers: set[str] = field(default_factory=set)
    stored: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    cookies: list = field(default_factory=list)


def with_text(png: bytes, words: str) -> bytes:
    """The PNG with a text and a time chunk behind its header."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    extra = chunk(b"tEXt", b"Comment\0" + words.encode()) + chunk(
        b"tIME", struct.pack(">HBBBBB", 1931, 2, 7, 23, 59, 58)
    )
    return png[:33] + extra + png[33:]


def watch(server: Server, session: Session, over: threading.Event) -> None:
    process = psutil.Process(server.process.pid)
    while not over.is_set():
        for each in (process, *process.children(recursive=True)):
            try:
                session.peers |= {c.raddr.ip for c in each.net_connections("inet") if c.raddr}
            except psutil.Error:
                continue
        time.sleep(0.05)


@pytest.fixture(scope="module")
def session(server: Server, chromium, dicom: bytes, film: bytes) -> Session:
    seen, over = Session(), threading.Event()
    watcher = threading.Thread(target=watch, args=(server, seen, over), daemon=True)
    watcher.start()
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.set_default_timeout(90_000)
    replies: list = []
    page.on("request", lambda request: seen.asked.append(request.url))
    page.on("websocket", lambda socket: seen.asked.append(socket.url))
    page.on("requestfinished", lambda request: replies.append(request))
    page.on(
        "console",
        lambda message: (
            seen.complaints.append(message.text) if "Content Security" in message.text else None
        ),
    )
    try:
        page.goto(server.url)
        page.wait_for_selector(".pn-example")
        for content in (dicom, with_text(film, "Zebrowska Kunigunde PID-4711-XQ"), b"Zebrowska"):
            drop(page, content, NAME)
            settled(page, "error" if content == b"Zebrowska" else None)
            page.wait_for_timeout(300)
            seen.stored.append(page.evaluate(STORED))
            seen.shown.append(page.content())
        page.click(".pn-example")
        settled(page)
        page.get_by_role("tab", name="Model card").click()
        page.get_by_role("tab", name="Many radiographs").click()
        page.set_input_files(
            ".pn-batch .pn-file",
            [{"name": NAME, "mimeType": "", "buffer": content} for content in (dicom, film, b"-")],
        )
        page.wait_for_selector(".pn-batch[data-running=no][data-rows='3']")
        seen.stored.append(page.evaluate(STORED))
        for request in replies:
            reply = request.response()
            if "heartbeat" not in request.url and reply and reply.status < 300:
                seen.answers.append(reply.body())
                if "component_server" in request.url:
                    seen.films.append(reply.body())
        seen.cookies = context.cookies()
    finally:
        context.close()
        over.set()
        watcher.join(5)
    return seen


def test_the_page_asks_nobody_but_its_server(server: Server, session: Session):
    foreign = [
        url
        for url in session.asked
        if urlsplit(url).scheme not in ("data", "blob", "about")
        and urlsplit(url).netloc != f"127.0.0.1:{server.port}"
    ]
    assert len(session.asked) > 5 and foreign == []
    assert session.complaints == []


def test_the_server_connects_to_nobody(server: Server, session: Session):
    assert session.peers <= {"127.0.0.1"}
    reached = server.connections.read_text().splitlines()
    assert reached, "the watch did not work: the app asks itself once when it starts"
    assert [line for line in reached if not line.startswith("own")] == []


def test_nothing_of_the_patient_comes_back(session: Session):
    said = b"\n".join(session.answers).decode(errors="replace") + "".join(session.shown)
    assert len(session.answers) > 5
    for secret in secrets_of_the_patient():
        assert secret not in said, secret


def test_the_server_prints_nothing_of_the_patient(server: Server, session: Session):
    printed = server.printed()
    for secret in secrets_of_the_patient():
        assert secret not in printed, secret
    assert server.files() == []


def test_the_browser_keeps_nothing_of_the_films(session: Session):
    assert session.cookies == []
    for stored in session.stored:
        for secret in (*secrets_of_the_patient(), "PNEUMONIA", "probability", "DICOM", "iVBOR"):
            assert secret not in stored
        things = json.loads(stored)
        assert not things["databases"] and not things["caches"] and not things["workers"]
        assert len(stored) < 2000


def test_every_picture_is_a_png_of_pixels_only(session: Session):
    said = b"\n".join(session.films)
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
    reply = server.read(dicom, NAME)
    assert reply.json()["data"][0]["status"] == "ok"
    for secret in (*secrets_of_the_patient(), NAME):
        assert secret not in reply.text and secret not in server.printed()
    for cut in (200, 400, 700, len(dicom) // 2):
        text = server.read(dicom[:cut], NAME).text + server.analyze(dicom[:cut], NAME).text
        for secret in secrets_of_the_patient():
            assert secret not in text and secret not in server.printed()
