"""axe-core finds nothing serious on any state of the page, light and dark, wide and narrow."""

import pytest

from tests.e2e.browser.hands import choose, drop, settled

WIDTHS = {"wide": {"width": 1366, "height": 768}, "phone": {"width": 390, "height": 844}}


def serious(page) -> list[str]:
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        pytest.fail("The accessibility tests need axe: pip install -r requirements-dev.txt")
    found = Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
    )
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
        for violation in found.response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.fixture(params=["light", "dark"])
def theme(request, page, app_url):
    page.goto(f"{app_url}/?__theme={request.param}")
    page.wait_for_selector(".pn-example")
    return request.param


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_serious_before_with_and_without_an_image(page, theme, images, width):
    page.set_viewport_size(WIDTHS[width])
    assert serious(page) == []
    drop(page, (images / "image-1.png").read_bytes())
    settled(page)
    choose(page, "policy", "custom")
    page.click(".pn-how summary")
    assert serious(page) == []
    choose(page, "model", "all")
    page.wait_for_selector(".pn-versus")
    assert serious(page) == []
    for key in ("?", "p"):
        page.keyboard.press(key)
        page.wait_for_selector("dialog[open]")
        assert serious(page) == []
        page.keyboard.press("Escape")
    drop(page, b"no image")
    settled(page, "error")
    assert serious(page) == []


@pytest.mark.parametrize("tab", ["Many radiographs", "Model card"])
def test_nothing_serious_on_the_other_tabs(page, theme, images, tab):
    page.get_by_role("tab", name=tab).click()
    if tab == "Many radiographs":
        page.wait_for_selector(".pn-batch-controls input")
        page.set_input_files(".pn-batch .pn-file", [images / "image-0.png", images / "cases.json"])
        page.wait_for_selector(".pn-batch[data-running=no][data-rows='2']")
    else:
        page.wait_for_selector(".pn-card")
    assert serious(page) == []


def test_every_control_is_reached_by_the_keyboard(page, images):
    drop(page, (images / "image-1.png").read_bytes())
    settled(page)
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "() => document.activeElement.dataset.tool ?? document.activeElement.name"
                " ?? document.activeElement.dataset.example ?? document.activeElement.className"
            )
        )
    tools = page.eval_on_selector_all("[data-tool]", "all => all.map(b => b.dataset.tool)")
    assert set(tools) <= reached
    assert {"pn-model", "pn-policy"} <= reached


def test_nothing_moves_for_those_who_asked_for_it(page, images):
    page.emulate_media(reduced_motion="reduce")
    drop(page, (images / "image-1.png").read_bytes())
    settled(page)
    moving = page.evaluate("""() => [...document.querySelectorAll("*")].filter((one) => {
        const { transitionDuration, animationName } = getComputedStyle(one);
        return animationName !== "none" || !/^0s(, 0s)*$/.test(transitionDuration);
    }).map((one) => one.className)""")
    assert moving == []
