"""A Hub of this process, spoken to over HTTP as huggingface_hub speaks to the real one."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

HEX = "[0-9a-f]{40}"


class Hub:
    """Repositories as commits, "models/me/x" -> [files by path, ...]."""

    def __init__(self) -> None:
        self.commits: dict[str, list[dict[str, bytes]]] = {}
        self.made: dict[str, dict] = {}  # what create_repo asked for
        self.url = ""

    def files(self, repository: str, revision: str = "main") -> dict[str, bytes] | None:
        commits = self.commits.get(repository, [])
        by_name = {self.sha(repository, n): files for n, files in enumerate(commits)}
        return commits[-1] if revision == "main" and commits else by_name.get(revision)

    def sha(self, repository: str, number: int = -1) -> str:
        number %= max(1, len(self.commits[repository]))
        return hashlib.sha1(f"{repository} {number}".encode()).hexdigest()

    def connect(self, patch: pytest.MonkeyPatch, home: Path) -> None:
        """Point this process's Hub client here, with a cache of its own."""
        template = f"{self.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        for name, value in (
            ("ENDPOINT", self.url), ("HUGGINGFACE_CO_URL_TEMPLATE", template),
            ("HF_HUB_CACHE", str(home)), ("HF_HUB_DISABLE_XET", True),
            ("HF_HUB_DISABLE_TELEMETRY", True),
        ):  # fmt: skip
            patch.setattr(f"huggingface_hub.constants.{name}", value)
        patch.setenv("HF_TOKEN", "hf_stub")

    # What each request is answered: status, body, headers.
    def post(self, path: str, body: bytes):
        if path == "/api/repos/create":
            asked = json.loads(body)
            owner = asked.get("organization") or "me"
            repository = f"{asked.get('type', 'model')}s/{owner}/{asked['name'].split('/')[-1]}"
            self.made[repository] = asked
            self.commits.setdefault(repository, [{}])
            return {"url": f"{self.url}/{repository.removeprefix('models/')}"}
        if path == "/api/validate-yaml":
            return {"errors": [], "warnings": []}
        found = re.fullmatch(r"/api/(\w+/[\w-]+/[\w-]+)/(preupload|commit)/main", path)
        if not found or found[1] not in self.commits:
            return None
        if found[2] == "preupload":
            return {"files": [
                {"path": one["path"], "shouldIgnore": False, "uploadMode": "regular"}
                for one in json.loads(body)["files"]
            ]}  # fmt: skip
        files = dict(self.commits[found[1]][-1])
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        self.commits[found[1]].append(files)
        sha = self.sha(found[1])
        place = f"{self.url}/{found[1].removeprefix('models/')}"
        return {"success": True, "commitOid": sha, "commitUrl": f"{place}/commit/{sha}"}

    def get(self, path: str):
        found = re.fullmatch(r"/api/(\w+/[\w-]+/[\w-]+)/(tree|revision)/([^/]+)", path)
        if found and (files := self.files(found[1], found[3])) is not None:
            if found[2] == "revision":
                return {"id": found[1], "sha": self.sha(found[1]), "siblings": []}
            return [
                {"type": "file", "path": name, "size": len(data),
                 "oid": hashlib.sha1(data).hexdigest()}
                for name, data in files.items()
            ]  # fmt: skip
        found = re.fullmatch(rf"/([\w-]+/[\w-]+)/resolve/({HEX}|main)/(.+)", path)
        files = self.files(f"models/{found[1]}", found[2]) if found else None
        return files.get(found[3]) if files else None


@contextmanager
def running_hub() -> Iterator[Hub]:
    """Serve an empty Hub on the loopback."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, reply: object) -> None:
            path = self.path.partition("?")[0]
            body = reply if isinstance(reply, bytes) else json.dumps(reply or {}).encode()
            self.send_response(404 if reply is None else 200)
            self.send_header("Content-Length", str(len(body)))
            if isinstance(reply, bytes):
                commit = path.split("/resolve/")[1].split("/")[0]
                self.send_header("X-Repo-Commit", commit)
                self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
            elif reply is None:
                self.send_header("X-Error-Code", "RepoNotFound")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def body(self) -> bytes:
            if length := self.headers.get("Content-Length"):
                return self.rfile.read(int(length))
            parts = []
            while self.headers.get("Transfer-Encoding") == "chunked":
                size = int(self.rfile.readline(), 16)
                parts.append(self.rfile.read(size))
                self.rfile.readline()
                if not size:
                    break
            return b"".join(parts)

        def do_GET(self) -> None:
            self.answer(hub.get(self.path.partition("?")[0]))

        do_HEAD = do_GET

        def do_POST(self) -> None:
            self.answer(hub.post(self.path.partition("?")[0], self.body()))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
