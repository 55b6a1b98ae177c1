"""What is published as a Space, run as a Space: another user, few packages, no network, a frame."""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pneumo.ui import zerogpu
from tests.e2e.browser.hands import drop, settled
from tests.e2e.test_publish import checkout, hub  # noqa: F401  fixtures
from tests.hub import Hub
from tests.served import BROWSERS, FLAGS, ROOT, WATCH, Server, free_port, running_app
from tests.unit.commands.shell import run

HOST = "me-pneumo.hf.space"
# As on huggingface.co, but for the scheme of what is inside.
PARENT = f'<title>Space</title><iframe src="http://{HOST}/" width="1300" height="800"></iframe>'


def closure(name: str) -> set[str]:
    """Distributions that a requirements file brings with it."""
    lines = (ROOT / name).read_text("utf-8").splitlines()
    todo = [Requirement(line) for line in lines if line and line[0] not in "#-"]
    found: set[str] = set()
    while todo:
        requirement = todo.pop()
        key = canonicalize_name(requirement.name)
        if key in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(key)
        try:
            more = metadata.requires(key) or []
        except metadata.PackageNotFoundError:
            continue
        todo += [Requirement(line) for line in more if "extra ==" not in line]
    return found


def others() -> str:
    """Modules that are installed here and would not be on a Space."""
    # Either OpenCV serves.
    known = closure("requirements.txt") | {"opencv-python", "pip", "setuptools"}
    return ",".join(
        module
        for module, owners in metadata.packages_distributions().items()
        if not {canonicalize_name(owner) for owner in owners} & known and module != "pneumo"
    )


def open_to_others(path: Path) -> bool:
    """Whether any user may reach a folder."""
    return all(place.stat().st_mode & 1 for place in (path, *path.parents))


def space_port() -> int:
    """7860 as on a Space, another one where somebody listens there."""
    with socket.socket() as probe:
        return free_port() if probe.connect_ex(("127.0.0.1", 7860)) == 0 else 7860


@pytest.fixture
def space(checkout, hub: Hub) -> Iterator[Server]:  # noqa: F811
    assert run("publish", "space", "me/pneumo") == 0
    with tempfile.TemporaryDirectory(prefix="pneumo-space-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        for name, content in hub.files("spaces/me/pneumo").items():
            path = folder / "app" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        shutil.copytree(WATCH, folder / "watch")
        for path in (folder / "app").rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
        (folder / "home").mkdir()
        # A root may become another user, who must be able to reach this Python.
        root = os.name == "posix" and os.geteuid() == 0
        user = 65534 if root and open_to_others(Path(sys.executable).resolve().parent) else None
        variables = {
            "SPACE_ID": "me/pneumo",
            "SPACE_HOST": HOST,
            "GRADIO_SERVER_NAME": "0.0.0.0",
            "PYTHONPATH": str(folder / "watch"),
            "HOME": str(folder / "home"),
            "PNEUMO_TEST_WITHOUT": others(),
        }
        with running_app(
            folder / "home", root=folder / "app", port=space_port(), user=user, **variables
        ) as server:
            yield server


@pytest.mark.slow
def test_the_first_analysis_inside_huggingface_succeeds(space: Server, chromium, images: Path):
    installed = next(filter(None, map(shutil.which, BROWSERS)), None)
    features = "LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests"
    browser = chromium.browser_type.launch(
        executable_path=installed,
        args=[
            *FLAGS,
            f"--host-resolver-rules=MAP {HOST} 127.0.0.1:{space.port}",
            "--allow-running-insecure-content",
            f"--disable-features={features}",
        ],
    )
    try:
        page = browser.new_page()
        page.route(
            "https://huggingface.co/**",
            lambda route: route.fulfill(body=PARENT, content_type="text/html"),
        )
        page.goto("https://huggingface.co/spaces/me/pneumo")
        page.wait_for_selector("iframe")
        frame = page.query_selector("iframe").content_frame()
        frame.wait_for_selector(".pn-controls input")
        drop(frame, (images / "image-1.png").read_bytes())
        settled(frame)
        assert frame.query_selector("[data-probability]")
    finally:
        browser.close()
    assert not [line for line in space.reached() if line.startswith("foreign")]
    assert space.read((images / "image-1.png").read_bytes()).json()["data"][0]["status"] == "ok"


def test_zerogpu_finds_a_function_for_its_gpu(monkeypatch):
    found = []
    package = SimpleNamespace(GPU=lambda **_: lambda function: found.append(function) or function)
    monkeypatch.setitem(sys.modules, "spaces", package)
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    assert importlib.reload(zerogpu).device() in ("cpu", "cuda") and len(found) == 1
