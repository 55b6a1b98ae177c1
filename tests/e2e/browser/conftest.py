"""The app, a headless browser, example images, and a page that must not raise script errors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pneumo.files import bundled_folder
from tests.e2e.browser.hands import drop, settled
from tests.served import NotRunning, running_app
from tests.unit.conftest import networks

__all__ = ["networks"]


@pytest.fixture(scope="session")
def images(tmp_path_factory) -> Path:
    """A folder of bundled examples, normal and not in turn: image-0.png ... image-3.png, and
    cases.json for the last two."""
    folder, bundled = tmp_path_factory.mktemp("images"), bundled_folder("examples")
    cases = json.loads((bundled / "cases.json").read_text())
    by_truth = {
        truth: [case["file"] for case in cases if case["truth"] == truth]
        for truth in ("NORMAL", "PNEUMONIA")
    }
    for number in range(4):
        files = by_truth["PNEUMONIA" if number % 2 else "NORMAL"]
        shutil.copy(bundled / files[number // 2], folder / f"image-{number}.png")
    shown = [
        {"file": f"image-{number}.png", "title": f"Example {number}", "synthetic": True}
        for number in (2, 3)
    ]
    (folder / "cases.json").write_text(json.dumps(shown))
    return folder


@pytest.fixture(scope="session")
def app_url(images, networks) -> Iterator[str]:
    """Address of the app, started as a person would start it."""
    try:
        with running_app(images, PNEUMO_EXAMPLES=str(images)) as url:
            yield url
    except NotRunning as error:
        pytest.fail(str(error))


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


@pytest.fixture
def room(page, images):
    """The page with an image read."""
    drop(page, (images / "image-1.png").read_bytes())
    settled(page)
    return page
