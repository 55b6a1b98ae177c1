"""python -m tests.e2e.browser.screenshots: every tab, light and dark, wide and phone.

Only the project's own synthetic films are shown, whatever else the gallery holds.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.e2e.browser.hands import choose, settled
from tests.served import ROOT, NotRunning, headless_browser, running_app

FOLDER = ROOT / "docs" / "screenshots"
EXAMPLES = ROOT / "examples"
SIZES = {"wide": (1366, 768), "phone": (390, 844)}


def take_all(folder: Path) -> list[Path]:
    """Write the pictures into a folder and give their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    with (
        tempfile.TemporaryDirectory() as own,
        running_app(Path(own), PNEUMO_EXAMPLES=str(EXAMPLES)) as url,
        headless_browser() as browser,
    ):
        for size, (width, height) in SIZES.items():
            for theme in ("light", "dark"):
                page = browser.new_page(viewport={"width": width, "height": height})
                page.goto(f"{url}/?__theme={theme}")
                page.wait_for_selector(".pn-example")
                for name, visit in VIEWS.items():
                    visit(page)
                    page.wait_for_timeout(400)
                    path = folder / f"{name}-{theme}-{size}.png"
                    page.screenshot(path=path, animations="disabled")
                    taken.append(path)
                page.close()
    return taken


def one_film(page) -> None:
    """A film read by one network."""
    page.locator(".pn-example", has_text="pneumonia").first.click()
    settled(page)


def all_models(page) -> None:
    """The same film, all networks side by side."""
    if not page.locator("input[name=pn-model][value=all]").count():
        return  # there is only one
    choose(page, "model", "all")
    page.wait_for_selector(".pn-versus")
    settled(page)


def many_films(page) -> None:
    """The synthetic films in the table."""
    page.get_by_role("tab", name="Many films").click()
    page.wait_for_selector(".pn-many .pn-model input")
    films = sorted(EXAMPLES.glob("*.png"))
    page.set_input_files(".pn-many .pn-file", films)
    page.wait_for_selector(f".pn-many[data-running=no][data-rows='{len(films)}']")


def model_card(page) -> None:
    """The third tab."""
    page.get_by_role("tab", name="Model card").click()
    page.wait_for_selector(".pn-card")


VIEWS: dict[str, Callable] = {
    "empty": lambda page: None,
    "film": one_film,
    "models": all_models,
    "many": many_films,
    "card": model_card,
}

if __name__ == "__main__":
    try:
        for picture in take_all(FOLDER):
            print(picture.relative_to(ROOT))
    except NotRunning as error:
        sys.exit(str(error))
