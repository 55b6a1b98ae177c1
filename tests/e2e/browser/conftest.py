"""A page of the running app that must not raise script errors."""

import pytest

from tests.e2e.browser.hands import drop, settled


@pytest.fixture
def open_page(chromium, server):
    """Open a fresh page with these settings of the browser; fails the test on any script error."""
    contexts, errors = [], []

    def opened(address: str = "", **settings):
        contexts.append(chromium.new_context(**settings))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server.url + address)
        page.wait_for_selector(".pn-controls input", state="attached")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture
def page(open_page):
    """A page on a laptop's screen."""
    return open_page(viewport={"width": 1366, "height": 768})


@pytest.fixture
def room(page, images):
    """The page with an image analyzed."""
    drop(page, (images / "image-1.png").read_bytes())
    settled(page)
    return page


@pytest.fixture
def phone(open_page, images):
    """A phone's page with an image analyzed."""
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    drop(page, (images / "image-1.png").read_bytes())
    settled(page)
    return page
