"""Two copies of the app behind nginx, under a path of another name, as docs/deploying.md has it."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.e2e.browser.hands import drop, settled
from tests.served import API, BROWSERS, FLAGS, ROOT, free_port, running_app

HOST = "reader.example"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed here"),
]


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Iterator[int]:
    """Where nginx listens, with two copies of the app behind it."""
    folder = tmp_path_factory.mktemp("proxy")
    listening = free_port()
    site = (ROOT / "docs/deploy/nginx.conf").read_text("utf-8").replace("8080", str(listening))
    with ExitStack() as stack:
        for number in ("7861", "7862"):
            (folder / number).mkdir()
            settings = {"GRADIO_ROOT_PATH": "/pneumo", "PNEUMO_HOSTS": HOST}
            server = stack.enter_context(running_app(folder / number, **settings))
            site = site.replace(number, str(server.port))
        conf = folder / "nginx.conf"
        places = "".join(
            f"{name}_temp_path {folder}/{name};\n"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        conf.write_text(
            f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/log;\n"
            f"events {{}}\nhttp {{ access_log off; {places}\n{site}\n}}\n"
        )
        process = subprocess.Popen(["nginx", "-p", folder, "-c", conf])
        stack.callback(process.wait)
        stack.callback(process.terminate)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{listening}/pneumo/health", trust_env=False)
                break
            except httpx.ConnectError:
                time.sleep(0.2)
        else:
            pytest.fail("nginx does not answer")
        yield listening


def test_programs_are_answered(port, png):
    base = f"http://127.0.0.1:{port}/pneumo"
    with httpx.Client(headers={"Host": HOST}, timeout=120, trust_env=False) as client:
        page = client.get(f"{base}/")
        assert page.status_code == 200
        assets = re.findall(r'(?:src|href)="([^"]*assets/[^"]+\.(?:js|css))"', page.text)
        assert assets
        for asset in assets[:3]:
            path = re.sub(r"^https?://[^/]+", "", asset.removeprefix("."))
            path = path if path.startswith("/pneumo") else f"/pneumo/{path.lstrip('/')}"
            assert client.get(f"http://127.0.0.1:{port}{path}").status_code == 200, asset
        for _ in range(3):
            token = client.post(f"{base}{API}/upload", files={"files": ("a.png", png)}).json()[0]
            image = {"path": token, "meta": {"_type": "gradio.FileData"}}
            asked = {"data": [image, "cnn", None, False]}
            reply = client.post(f"{base}{API}/run/predict", json=asked)
            assert reply.json()["data"][0]["status"] == "ok", reply.text
    assert httpx.get(f"{base}/", headers={"Host": "evil.example"}).status_code >= 400


def test_the_page_analyzes(port, chromium, images: Path):
    installed = next(filter(None, map(shutil.which, BROWSERS)), None)
    rule = f"--host-resolver-rules=MAP {HOST} 127.0.0.1:{port}"
    browser = chromium.browser_type.launch(executable_path=installed, args=[*FLAGS, rule])
    try:
        page = browser.new_page()
        page.goto(f"http://{HOST}/pneumo/")
        page.wait_for_selector(".pn-controls input")
        drop(page, (images / "image-1.png").read_bytes())
        settled(page)
        assert page.query_selector("[data-probability]")
    finally:
        browser.close()
