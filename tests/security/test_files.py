"""No address of the server gives a file of its disk."""

from pathlib import Path
from urllib.parse import quote

import pytest

from pneumo.models.checkpoint import checkpoint_folder
from tests.served import API, ROOT, Server

SECRET = b"the content of a file that is nobody's business"
DOORS = (f"{API}/file=", "/static/", f"{API}/custom_component/")


@pytest.mark.parametrize("door", DOORS)
def test_no_path_leads_out(server: Server, tmp_path: Path, images: Path, door: str):
    hidden = tmp_path / "secret.png"
    hidden.write_bytes(SECRET)
    link = server.folder / "temp" / "link.png"
    link.symlink_to(hidden)
    files = (hidden, link, Path("/etc/passwd"), ROOT / "app.py", images / "image-0.png",
             checkpoint_folder() / "cnn.json")  # fmt: skip
    try:
        for path in files:
            upwards = "../" * 12 + str(path).lstrip("/")
            for spelling in (
                str(path),
                path.name,
                upwards,
                quote(str(path), safe=""),
                quote(quote(upwards, safe=""), safe=""),
                f"file://{path}",
                "....//" * 12 + str(path).lstrip("/"),
                upwards.replace("../", "..%5c"),
                f"{path}%00.png",
            ):
                status, body = server.raw(door + spelling)
                assert status >= 400, (door, spelling)
                assert SECRET not in body and b"root:" not in body, (door, spelling)
    finally:
        link.unlink()


def test_an_upload_cannot_be_fetched_again_by_anyone(server: Server, png: bytes):
    token = server.upload(png)
    for door in DOORS:
        status, body = server.raw(door + token)
        assert status >= 400 and png[:64] not in body
    # The same image again is at another place, so nobody can ask whether it has been here.
    assert server.upload(png) != token
