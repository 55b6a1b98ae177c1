"""axe-core finds nothing serious on any state of the page; keys reach all; nothing need move."""

import pytest

from pneumo.ui.texts import catalogues
from tests.e2e.browser.hands import choose, drop, settled

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
MOVING = """() => [...document.querySelectorAll("*")].filter((one) => {
    const { transitionDuration, animationName } = getComputedStyle(one);
    return animationName !== "none" || !/^0s(, 0s)*$/.test(transitionDuration);
}).map((one) => one.className)"""
FOCUSED = """() => document.activeElement.dataset.tool ?? document.activeElement.name
    ?? document.activeElement.dataset.example ?? document.activeElement.className"""


def serious(page) -> list[str]:
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        pytest.fail("The accessibility tests need axe: pip install -r requirements-dev.txt")
    found = Axe().run(page, options={"runOnly": RULES})
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
        for violation in found.response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def in_both_themes(page) -> list[str]:
    found = []
    for _ in range(2):
        found += serious(page)
        page.evaluate("document.body.classList.toggle('dark')")
        page.wait_for_timeout(300)  # for colors that fade
    return found


@pytest.mark.parametrize(
    ("theme", "size", "locale"), [("light", (1366, 768), "en-US"), ("dark", (390, 844), "de-DE")]
)
def test_nothing_serious_in_any_state(open_page, images, theme, size, locale):
    viewport, words = {"width": size[0], "height": size[1]}, catalogues()[locale[:2]]
    page = open_page(f"/?__theme={theme}", viewport=viewport, locale=locale)
    assert page.get_attribute("html", "lang") == locale[:2]
    page.wait_for_selector(".pn-example")
    drop(page, (images / "image-1.png").read_bytes())
    settled(page)
    choose(page, "policy", "custom")
    page.click(".pn-how summary")
    choose(page, "model", "all")
    page.wait_for_selector(".pn-versus")
    assert in_both_themes(page) == []
    for key in ("?", "p"):
        page.keyboard.press(key)
        page.wait_for_selector("dialog[open]")
        assert serious(page) == []
        page.keyboard.press("Escape")
    drop(page, b"no image")
    settled(page, "error")
    assert serious(page) == []
    page.get_by_role("tab", name=words["tab.batch"]).click()
    page.wait_for_selector(".pn-batch-controls input")
    page.set_input_files(".pn-batch .pn-file", [images / "image-0.png", images / "cases.json"])
    page.wait_for_selector(".pn-batch[data-running=no][data-rows='2']")
    assert in_both_themes(page) == []
    page.get_by_role("tab", name=words["tab.teach"]).click()
    page.wait_for_selector(".pn-lesson-line select")
    assert serious(page) == []
    page.get_by_role("button", name=words["experiment.title"]).click()
    page.wait_for_selector(".pn-lab-says [data-model]")
    assert in_both_themes(page) == []
    page.get_by_role("button", name=words["experiment.back"]).click()
    page.get_by_role("button", name=words["teach.start"]).click()
    for step in ("ask", "advice", "truth"):
        page.wait_for_selector(f".pn-teach[data-step={step}]:not([aria-busy]) .pn-go")
        assert serious(page) == []
        page.keyboard.press("u")
        page.keyboard.press("Enter")
    page.get_by_role("tab", name=words["tab.card"]).click()
    page.wait_for_selector(".pn-card")
    assert in_both_themes(page) == []
    if theme == "light":  # three screens
        assert page.locator(".pn-card").bounding_box()["height"] < 3 * size[1]


def test_every_control_is_reached_by_the_keyboard_and_nothing_need_move(room):
    reached = set()
    for _ in range(60):
        room.keyboard.press("Tab")
        reached.add(room.evaluate(FOCUSED))
    tools = room.eval_on_selector_all("[data-tool]", "all => all.map(b => b.dataset.tool)")
    assert {*tools, "pn-model", "pn-policy"} <= reached
    room.emulate_media(reduced_motion="reduce")
    assert room.evaluate(MOVING) == []
