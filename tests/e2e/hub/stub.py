"""A Hugging Face Hub in one thread: lists and serves one dataset, and misbehaves when told to."""

import hashlib
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from urllib.parse import unquote, urlsplit

REPO = "hf-vision/chest-xray-pneumonia"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class StubHub:
    """What the stub serves and how; change it while it runs.

    `cut` and `hang` map a path to the number of body bytes after which the answer ends (once) or
    stalls; `status` maps a path (or "listing") to an answer other than 200; `instead` maps a
    path to other content than the listing's checksum is of.
    """

    files: dict[str, bytes]
    cut: dict[str, int] = field(default_factory=dict)
    hang: dict[str, int] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    instead: dict[str, bytes] = field(default_factory=dict)
    listing: bytes | None = None
    url: str = ""
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)

    def siblings(self) -> list[dict]:
        """The listing's files, described as the real Hub describes LFS files."""
        return [
            {
                "rfilename": path,
                "size": len(content),
                "blobId": hashlib.sha1(content).hexdigest(),
                "lfs": {
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                    "pointerSize": 134,
                },
            }
            for path, content in self.files.items()
        ]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: StubHub

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        where = unquote(urlsplit(self.path).path)
        if where.startswith(f"/api/datasets/{REPO}"):
            return self._listing()
        prefix = f"/datasets/{REPO}/resolve/{COMMIT}/"
        if where.startswith(prefix):
            return self._file(where.removeprefix(prefix))
        return self._answer(404, b"no such page")

    def _listing(self) -> None:
        if status := self.hub.status.get("listing"):
            return self._answer(status, b"refused")
        described = {"id": REPO, "sha": COMMIT, "siblings": self.hub.siblings()}
        return self._answer(200, self.hub.listing or json.dumps(described).encode())

    def _file(self, path: str) -> None:
        asked = self.headers.get("Range")
        if self.command == "GET":
            self.hub.requests.append((path, asked))
        if status := self.hub.status.get(path):
            return self._answer(status, b"refused")
        if path not in self.hub.files:
            return self._answer(404, b"no such file", {"X-Error-Code": "EntryNotFound"})
        listed = self.hub.files[path]
        content = self.hub.instead.get(path, listed)
        more = {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha256(listed).hexdigest()}"'}
        if not asked:
            return self._answer(200, content, more, path)
        start = int(asked.removeprefix("bytes=").rstrip("-"))
        more["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return self._answer(206, content[start:], more, path)

    def _answer(self, status: int, body: bytes, more: dict | None = None, path: str = "") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        stop = min(self.hub.cut.pop(path, len(body)), self.hub.hang.get(path, len(body)))
        self.hub.sent[path] = self.hub.sent.get(path, 0) + len(body[:stop])
        self.wfile.write(body[:stop])
        self.wfile.flush()
        while path in self.hub.hang:
            time.sleep(0.02)
        self.close_connection = stop < len(body)

    def log_message(self, *args: object) -> None:
        """Keeps quiet."""


@contextmanager
def serving(files: dict[str, bytes]):
    """Runs a stub hub with these files for the length of a with block."""
    hub = StubHub(files)
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # a client that was killed is no news
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        hub.hang.clear()
        server.shutdown()
        server.server_close()
        thread.join()


def picture(seed: int, size: int = 48) -> bytes:
    """A JPEG of noise, of nobody."""
    import numpy as np
    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 256, (size, size), dtype=np.uint8)
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def parquet(rows: list[tuple[str | None, bytes, object]], image: str = "image") -> bytes:
    """A parquet file as the `datasets` library writes it, of (name, encoded picture, label)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = {"names": ["NORMAL", "PNEUMONIA"], "_type": "ClassLabel"}
    features = {"info": {"features": {image: {"_type": "Image"}, "label": names}}}
    table = pa.table(
        {
            image: pa.array([{"bytes": content, "path": name} for name, content, _ in rows]),
            "label": pa.array([label for _, _, label in rows]),
        }
    ).replace_schema_metadata({"huggingface": json.dumps(features)})
    sink = BytesIO()
    pq.write_table(table, sink, compression="none")
    return sink.getvalue()
