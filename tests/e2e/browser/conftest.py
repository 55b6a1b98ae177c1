"""The app, a headless browser, drawn films, and a page that must not raise script errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from pneumo.imaging.phantom import phantom
from tests.e2e.browser.hands import drop, settled
from tests.served import NotRunning, running_app
from tests.unit.conftest import networks

__all__ = ["networks"]


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
    try:
        with running_app(films, PNEUMO_EXAMPLES=str(films)) as url:
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
def room(page, films):
    """The page with a film read."""
    drop(page, (films / "film-1.png").read_bytes())
    settled(page)
    return page
