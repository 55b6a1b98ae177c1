"""The app in a process of its own, asked over HTTP, and a headless browser."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
API = "/gradio_api"
# A folder for PYTHONPATH: the program notes every address it reaches for, and reaches no other
# computer.
WATCH = ROOT / "tests" / "security" / "watch"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update")  # fmt: skip


@dataclass
class Server:
    """A running app: its port on 127.0.0.1, its process, and the folder of its files."""

    port: int
    process: subprocess.Popen
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=120, trust_env=False, verify=False)

    def post(self, path: str, **content) -> httpx.Response:
        if "json" in content:  # httpx's own refuses lone surrogates
            content["content"] = json.dumps(content.pop("json"))
            content["headers"] = {"content-type": "application/json"}
        with self.client() as client:
            return client.post(f"{API}/{path}", **content)

    def raw(
        self, target: str, method: str = "GET", body: bytes = b"", **headers: str
    ) -> tuple[int, bytes]:
        """Status and body of a request whose target is sent exactly as it is written."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        with contextlib.closing(connection):
            connection.putrequest(method, target, skip_host="Host" in headers)
            if body:
                headers["Content-Length"] = str(len(body))
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders(body or None)
            reply = connection.getresponse()
            return reply.status, reply.read()

    def ask(self, name: str, *values) -> httpx.Response:
        """Call a public event."""
        return self.post(f"run/{name}", json={"data": list(values)})

    def upload(self, content: bytes, name: str = "image.png") -> str:
        """The token of an uploaded file."""
        return self.post("upload", files={"files": (name, content)}).json()[0]

    def read(self, content: bytes, name: str = "image.png") -> httpx.Response:
        """Upload an image and have it analyzed, as gradio_client does it."""
        image = {"path": self.upload(content, name), "meta": {"_type": "gradio.FileData"}}
        return self.ask("predict", image | {"orig_name": name}, "cnn", None, False, False)

    @cached_property
    def viewer(self) -> int:
        """Number of the viewer among the page's components."""
        with self.client() as client:
            components = client.get("/config").json()["components"]
        return next(c["id"] for c in components if c["props"].get("elem_id") == "viewer")

    def form(self, **fields: str) -> dict[str, str]:
        """The fields of the page's request for an analysis."""
        form = {"component_id": str(self.viewer), "session_hash": "visit", "fn_name": "analyze"}
        return {**form, "models": "cnn", "check": "off", **fields}

    def analyze(self, image: bytes, name: str = "image", **fields: str) -> httpx.Response:
        """Ask the viewer's server function as the page does."""
        return self.post(
            "component_server", data=self.form(**fields), files={"image": (name, image)}
        )

    def files(self) -> list[Path]:
        """What the app has left on the disk."""
        return [path for path in (self.folder / "temp").rglob("*") if not path.is_dir()]

    def printed(self) -> str:
        return (self.folder / "app.log").read_text(errors="replace")

    def reached(self) -> list[str]:
        """A line "own|foreign HOST PORT" for every address it reached for."""
        return (self.folder / "connections").read_text().splitlines()


@contextmanager
def running_app(
    folder: Path, descriptors: int = 0, *, root: Path = ROOT, port: int = 0,
    user: int | None = None, **settings: str,
) -> Iterator[Server]:  # fmt: skip
    """Start the app as a person would, with an empty folder for its log and temporary files.

    It may open so many descriptors, unless 0; `root` is the checkout that runs, `port` a free one
    unless given, `user` whose number it runs under, `settings` are variables of its environment.
    Raises RuntimeError when it ends by itself or does not answer within ten minutes.
    """
    port = port or free_port()
    (folder / "temp").mkdir()
    (folder / "connections").touch()
    if user is not None:
        for path in (folder, folder / "temp", folder / "connections"):
            os.chown(path, user, user)
    foreign = re.compile("GRADIO_.*|.*_proxy", re.IGNORECASE)
    environment = {k: v for k, v in os.environ.items() if not foreign.fullmatch(k)} | {
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_TEMP_DIR": str(folder / "temp"),
        "TMPDIR": str(folder / "temp"),
        "PNEUMO_TEST_CONNECTIONS": str(folder / "connections"),
        "PYTHONPATH": str(WATCH),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        **settings,
    }

    def limit() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    with (folder / "app.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(root / "app.py")],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=limit if descriptors else None,
            **({} if user is None else {"user": user, "group": user, "extra_groups": []}),
        )
    server = Server(port, process, folder)
    try:
        deadline = time.monotonic() + 600
        while not _answers(server):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The app did not start:\n{server.printed()}")
            time.sleep(0.3)
        yield server
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()


def run_apart(work: Coroutine):
    """What it returns, run in a thread of its own: a browser has a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(server: Server) -> bool:
    """Whether the app has started for good: Gradio answers before, and still gives up then."""
    try:
        return server.raw("/health")[0] == 200
    except OSError:
        return False


@contextmanager
def headless_browser():
    """An installed Chromium or Chrome without a window, else playwright's own; RuntimeError without
    either says what to install."""
    from playwright.sync_api import Error, sync_playwright

    installed = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=installed, args=list(FLAGS))
        except Error as error:
            how = "'apt-get install chromium' or 'playwright install chromium'"
            raise RuntimeError(f"No browser starts. Install one with {how}.\n{error}") from None
        yield browser
        browser.close()
