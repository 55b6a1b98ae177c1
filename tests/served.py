"""The app in a process of its own, and a headless browser: for tests and screenshots."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
)


class NotRunning(RuntimeError):
    """The app or the browser did not start; the message says why and what to install."""


@contextmanager
def running_app(folder: Path, **settings: str) -> Iterator[str]:
    """Start the app as a person would, in a folder of its own, and give its address.

    Args:
        folder: of its log and its temporary files.
        **settings: variables of its environment, OMP_NUM_THREADS=1 unless given.

    Raises:
        NotRunning: when it ends by itself or does not answer within ten minutes.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "NO_PROXY": "127.0.0.1,localhost",
        "GRADIO_TEMP_DIR": str(folder / "uploads"),
        "OMP_NUM_THREADS": "1",
        **settings,
    }
    log = folder / "app.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "app.py")],
            cwd=folder,
            env=environment,
            stdout=stream,
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


@contextmanager
def headless_browser():
    """A headless browser: an installed Chromium or Chrome, else playwright's own.

    Raises:
        NotRunning: with a sentence that says what to install.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise NotRunning(
            "A browser is driven by playwright: pip install -r requirements-dev.txt"
        ) from None
    installed = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=installed, args=list(FLAGS))
        except Error as error:
            raise NotRunning(
                "No browser could be started. Install one with "
                f"'apt-get install chromium' or 'playwright install chromium'.\n{error}"
            ) from None
        yield browser
        browser.close()


def _wait_until_up(url: str, process: subprocess.Popen, log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise NotRunning(f"The app ended by itself:\n{log.read_text()}")
        try:
            direct.open(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise NotRunning(f"The app did not answer within ten minutes:\n{log.read_text()}")
