"""python -m tools.screenshots: the four pictures in docs/screenshots, of the bundled examples."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pneumo.files import bundled_folder
from tests.e2e.browser.hands import choose, map_on, settled
from tests.served import ROOT, headless_browser, running_app

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = ROOT / "docs" / "screenshots"
WIDE, PHONE = (1366, 768), (390, 844)


def analyze(page: Page) -> None:
    """The first example with pneumonia, by one network, with its heatmap."""
    page.locator(".pn-example").nth(pneumonia()).click()
    settled(page)
    map_on(page)


def both(page: Page) -> None:
    """The same, by all networks, with what stands under "How sure?"."""
    choose(page, "model", "all")
    analyze(page)
    page.locator(".pn-how summary").first.click()


def batch(page: Page) -> None:
    """All examples in the table."""
    page.get_by_role("tab", name="Many radiographs").click()
    files = sorted(bundled_folder("examples").glob("*.png"))
    page.set_input_files(".pn-batch .pn-file", files)
    page.wait_for_selector(f".pn-batch[data-running=no][data-rows='{len(files)}']")


PICTURES: dict[str, tuple[Callable, tuple[int, int], str]] = {
    "analyze": (analyze, WIDE, "light"),
    "both-dark": (both, WIDE, "dark"),
    "many": (batch, WIDE, "light"),
    "phone": (analyze, PHONE, "light"),
}


def pneumonia() -> int:
    """The place of the first example with pneumonia."""
    from pneumo.ui.examples import example_folders, find_examples

    examples = find_examples(example_folders(bundled_folder("examples")))
    return next(i for i, example in enumerate(examples) if example.truth == "PNEUMONIA")


def take_all(folder: Path) -> list[Path]:
    """Write the pictures into a folder and give their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    examples = str(bundled_folder("examples"))
    with (
        tempfile.TemporaryDirectory() as own,
        running_app(Path(own), PNEUMO_EXAMPLES=examples) as server,
        headless_browser() as browser,
    ):
        for name, (visit, (width, height), theme) in PICTURES.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(120_000)
            page.goto(f"{server.url}/?__theme={theme}")
            page.wait_for_selector(".pn-example")
            visit(page)
            page.wait_for_timeout(400)
            taken.append(folder / f"{name}.png")
            page.screenshot(path=taken[-1], animations="disabled")
            page.close()
    return taken


if __name__ == "__main__":
    try:
        for picture in take_all(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
            print(picture)
    except RuntimeError as error:
        sys.exit(str(error))
