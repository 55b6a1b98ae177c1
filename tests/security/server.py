"""The app under attack: started as a user starts it, asked over http, watched from outside."""

from __future__ import annotations

import http.client
import json
import os
import resource
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
API = "/gradio_api"


@dataclass
class Server:
    """A running app.

    Attributes:
        port: of 127.0.0.1.
        process: of `python app.py`.
        temp: the only folder it may put temporary files in.
        log: everything it prints.
        connections: a line "own|foreign HOST PORT" for every address it reached for.
    """

    port: int
    process: subprocess.Popen
    temp: Path
    log: Path
    connections: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=120, trust_env=False)

    def raw(
        self, target: str, method: str = "GET", body: bytes = b"", **headers: str
    ) -> tuple[int, bytes]:
        """Status and body of a request whose target is sent exactly as it is written."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.putrequest(
                method, target, skip_host="Host" in headers, skip_accept_encoding=True
            )
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            if body:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def ask(self, name: str, *values) -> httpx.Response:
        """Call a public event."""
        with self.client() as client:
            return client.post(
                f"{API}/run/{name}",
                content=json.dumps({"data": list(values)}),  # httpx's own refuses lone surrogates
                headers={"Content-Type": "application/json"},
            )

    def upload(self, content: bytes, name: str = "image.png") -> httpx.Response:
        with self.client() as client:
            return client.post(f"{API}/upload", files={"files": (name, content)})

    def read(self, content: bytes, name: str = "image.png", model: str = "cnn") -> httpx.Response:
        """Upload an image and have it analyzed, as gradio_client does it."""
        path = self.upload(content, name).json()[0]
        image = {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
        return self.ask("predict", image, model, None, False, False)

    def component(self) -> int:
        """Number of the viewer among the page's components."""
        with self.client() as client:
            components = client.get("/config").json()["components"]
        return next(c["id"] for c in components if c["props"].get("elem_id") == "viewer")

    def analyze(self, image: bytes | None = None, name: str = "image", **fields) -> httpx.Response:
        """Ask the viewer's server function as the page does."""
        form = {
            "component_id": str(self.component()),
            "session_hash": "visit",
            "fn_name": "analyze",
            "models": "cnn",
            "check": "off",
            **fields,
        }
        # Without an image a named part keeps it a multipart form.
        files = {"image": (name, image)} if image is not None else {"nothing": (None, "")}
        with self.client() as client:
            return client.post(f"{API}/component_server", data=form, files=files)

    def files(self) -> list[Path]:
        """What the app has left on the disk."""
        return [path for path in self.temp.rglob("*") if path.is_file() or path.is_symlink()]

    def printed(self) -> str:
        return self.log.read_text(errors="replace")


def start(
    folder: Path, examples: Path, checkpoints: Path, descriptors: int = 0, **variables: str
) -> Server:
    """Start the app with a temporary folder of its own and wait until it answers.

    Args:
        folder: for its files.
        examples: the gallery.
        checkpoints: its networks.
        descriptors: that it may open at most; as many as this process unless given.
        **variables: of its environment.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    temp, log, connections = folder / "temp", folder / "app.log", folder / "connections"
    temp.mkdir()
    connections.touch()
    settings = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GRADIO_") and not name.lower().endswith("_proxy")
    }
    settings |= {
        "GRADIO_SERVER_PORT": str(port),
        "TMPDIR": str(temp),
        "GRADIO_TEMP_DIR": str(temp),
        "PNEUMO_EXAMPLES": str(examples),
        "PNEUMO_CHECKPOINTS": str(checkpoints),
        "PNEUMO_TEST_CONNECTIONS": str(connections),
        "PYTHONPATH": str(Path(__file__).parent / "watch"),
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
        **variables,
    }

    def limit() -> None:
        if descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "app.py")],
            cwd=folder,
            env=settings,
            stdout=stream,
            stderr=subprocess.STDOUT,
            preexec_fn=limit,
        )
    server = Server(port, process, temp, log, connections)
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and process.poll() is None:
        try:
            server.raw("/config")
            return server
        except OSError:
            time.sleep(0.3)
    stop(server)
    raise RuntimeError(f"The app did not start:\n{server.printed()}")


def stop(server: Server) -> None:
    """End the app."""
    server.process.terminate()
    try:
        server.process.wait(20)
    except subprocess.TimeoutExpired:
        server.process.kill()


def sentences(reply: httpx.Response) -> str:
    """The error a reply gives, which must be a sentence."""
    body = json.loads(reply.text)
    return str(body.get("error") or "")
