"""A session in a real browser: nobody else is asked, and nothing of the patient comes back."""

import base64
import json
import re
import struct
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from tests.e2e.browser.hands import drop, settled
from tests.security.conftest import SECRETS
from tests.served import Server
from tests.unit.imaging.files import with_chunk

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


@pytest.fixture(scope="module")
def session(server: Server, chromium, dicom: bytes, png: bytes) -> SimpleNamespace:
    """What a browser and its console saw while a person analyzed images."""
    seen, replies = SimpleNamespace(asked=[], answers=[], pictures=[], complaints=[], kept=[]), []
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.set_default_timeout(90_000)
    page.on("request", lambda request: seen.asked.append(request.url))
    page.on("websocket", lambda socket: seen.asked.append(socket.url))
    page.on("requestfinished", lambda request: replies.append(request))
    page.on("console", lambda message: seen.complaints.append(message.text))
    page.goto(server.url)
    page.wait_for_selector(".pn-example")
    noted = with_chunk(png, b"tEXt", b"Comment\0Zebrowska Kunigunde PID-4711-XQ")
    for content in (dicom, noted, b"Zebrowska"):
        drop(page, content, NAME)
        settled(page, "error" if content == b"Zebrowska" else None)
        seen.kept.append(page.evaluate(STORED))
        seen.answers.append(page.content().encode())
    page.click(".pn-example")
    settled(page)
    page.get_by_role("tab", name="Many radiographs").click()
    page.set_input_files(
        ".pn-batch .pn-file",
        [{"name": NAME, "mimeType": "", "buffer": content} for content in (dicom, png, b"-")],
    )
    page.wait_for_selector(".pn-batch[data-running=no][data-rows='3']")
    seen.kept.append(page.evaluate(STORED))
    for request in replies:
        reply = request.response()
        if "heartbeat" not in request.url and reply and reply.status < 300:
            seen.answers.append(reply.body())
            if "component_server" in request.url:
                seen.pictures.append(reply.body())
    seen.cookies = context.cookies()
    context.close()
    return seen


def test_page_and_server_ask_nobody_else(server: Server, session: SimpleNamespace):
    own = ("", f"127.0.0.1:{server.port}")
    assert [url for url in session.asked if urlsplit(url).netloc not in own] == []
    assert len(session.asked) > 5
    assert [said for said in session.complaints if "Content Security" in said] == []
    assert [line for line in server.reached() if not line.startswith("own")] == []


def test_nothing_of_the_patient_comes_back_or_stays(server: Server, session: SimpleNamespace):
    said = b"\n".join(session.answers).decode(errors="replace") + server.printed()
    assert len(session.answers) > 5
    assert [secret for secret in SECRETS if secret in said] == []
    assert server.files() == [] and session.cookies == []
    for stored in session.kept:
        for secret in (*SECRETS, "PNEUMONIA", "probability", "DICOM", "iVBOR"):
            assert secret not in stored
        things = json.loads(stored)
        assert not things["databases"] and not things["caches"] and not things["workers"]
        assert len(stored) < 2000


def test_every_picture_is_a_png_of_pixels_only(session: SimpleNamespace):
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
