"""The app in a process of its own and a headless Chromium that looks at it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from pneumo.imaging.phantom import phantom
from tests.ui.conftest import networks

__all__ = ["networks"]

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)


@pytest.fixture(scope="session")
def films(tmp_path_factory) -> Path:
    """A folder of drawn films: film-0.png ... film-3.png, and cases.json for two of them."""
    folder = tmp_path_factory.mktemp("films")
    for seed in range(4):
        picture, _ = phantom(seed, 320, "right" if seed % 2 else None)
        assert cv2.imwrite(str(folder / f"film-{seed}.png"), picture)
    cases = [
        {"file": f"film-{seed}.png", "title": f"Drawn film {seed}", "truth": truth,
         "caption": "Drawn by the tests.", "synthetic": True}
        for seed, truth in ((2, "NORMAL"), (3, "PNEUMONIA"))
    ]
    (folder / "cases.json").write_text(json.dumps(cases))
    return folder


@pytest.fixture(scope="session")
def app_url(films, networks) -> Iterator[str]:
    """Address of the app, started as a person would start it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        **os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1",
        "NO_PROXY": "127.0.0.1,localhost", "GRADIO_ANALYTICS_ENABLED": "False",
        "PNEUMO_EXAMPLES": str(films), "GRADIO_TEMP_DIR": str(films / "uploads"),
        "OMP_NUM_THREADS": "1",
    }
    log = films / "app.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "app.py")], cwd=films, env=settings, stdout=stream,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(url, process, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_until_up(url: str, process: subprocess.Popen, log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"The app ended by itself:\n{log.read_text()}")
        try:
            direct.open(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    pytest.fail(f"The app did not answer within three minutes:\n{log.read_text()}")


@pytest.fixture(scope="session")
def chromium():
    """A headless browser: an installed Chromium or Chrome, else playwright's own."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        pytest.fail("The browser tests need playwright: pip install -r requirements-dev.txt")
    installed = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=installed, args=list(FLAGS))
        except Error as error:
            pytest.fail(
                "No browser could be started for the browser tests. Install one with "
                f"'apt-get install chromium' or 'playwright install chromium'.\n{error}"
            )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, app_url):
    """A fresh page with the app; fails the test on any script error in it."""
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.set_default_timeout(60_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(app_url)
    page.wait_for_selector(".pn-controls input")
    yield page
    context.close()
    assert not errors
