"""No address of the server gives a file of its disk."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from tests.security.server import API, ROOT, Server

SECRET = b"the content of a file that is nobody's business"
DOORS = (
    f"{API}/file=",
    f"{API}/file/",
    "/file=",
    "/file/",
    "/assets/",
    "/static/",
    "/svelte/",
    f"{API}/proxy=",
    f"{API}/custom_component/",
    f"{API}/stream/",
)


def spellings(path: Path) -> list[str]:
    """Ways to write a path that a careless server could take."""
    absolute = str(path)
    upwards = "../" * 12 + absolute.lstrip("/")
    return [
        absolute,
        upwards,
        "x/" + upwards,
        quote(absolute, safe=""),
        quote(upwards, safe=""),
        quote(quote(absolute, safe=""), safe=""),
        quote(quote(upwards, safe=""), safe=""),
        "file://" + absolute,
        "....//" * 12 + absolute.lstrip("/"),
        upwards.replace("../", "..%5c"),
        upwards.replace("../", "%2e%2e/"),
        absolute + "%00.png",
    ]


@pytest.fixture(scope="module")
def hidden(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("hidden") / "secret.png"
    path.write_bytes(SECRET)
    return path


@pytest.mark.parametrize("door", DOORS)
def test_no_path_leads_out(server: Server, hidden: Path, door: str):
    for path in (hidden, Path("/etc/passwd")):
        for spelling in spellings(path):
            status, body = server.raw(door + spelling)
            assert status >= 400, (door, spelling)
            assert SECRET not in body and b"root:" not in body, (door, spelling)


@pytest.mark.parametrize(
    "path",
    ["app.py", "pyproject.toml", "pneumo/ui/layout.py", "checkpoints/MODEL_CARD.md", ".git/config"],
)
def test_the_own_files_stay_in(server: Server, path: str):
    for door in DOORS:
        for name in (path, str(ROOT / path)):
            assert server.raw(door + name)[0] >= 400, (door, name)


def test_weights_and_examples_are_not_handed_out(server: Server, stand_ins: Path):
    for door in DOORS:
        for path in (stand_ins / "cnn.safetensors", stand_ins / "cnn.json"):
            assert server.raw(door + str(path))[0] >= 400


def test_a_link_in_the_upload_folder_is_not_followed(server: Server, hidden: Path):
    link = server.temp / "link.png"
    link.symlink_to(hidden)
    try:
        for door in DOORS:
            status, body = server.raw(door + str(link))
            assert status >= 400 and SECRET not in body
        for path in (str(link), "link.png"):
            reply = server.ask(
                "predict",
                {"path": path, "meta": {"_type": "gradio.FileData"}},
                "cnn",
                None,
                False,
                False,
            )
            assert reply.status_code >= 400
    finally:
        link.unlink()


def test_an_upload_cannot_be_fetched_again_by_anyone(server: Server, film: bytes):
    where = server.upload(film).json()[0]
    for door in DOORS:
        for name in (where, where.lstrip("/"), quote(where, safe="")):
            status, body = server.raw(door + name)
            assert status >= 400 and film[:64] not in body
    # The same film again is at another place, so nobody can ask whether it has been here.
    assert server.upload(film).json()[0] != where
