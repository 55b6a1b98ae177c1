"""The viewer's tools and choices, and that it never mixes two images."""

import base64

import cv2
import numpy as np
import pytest

from pneumo.models.card import read_card
from pneumo.models.checkpoint import available_models
from pneumo.models.probability import at_prevalence
from pneumo.reading.decision import decide
from pneumo.reading.reader import Reader
from pneumo.ui.texts import text
from tests.e2e.browser.hands import (
    choose,
    decided,
    drawn_again,
    drop,
    map_on,
    pixels,
    probability,
    settled,
)

FRAMES = """async () => {
    const canvas = document.querySelector(".pn-image canvas");
    const box = canvas.getBoundingClientRect();
    const at = (x, y) => ({clientX: box.x + x, clientY: box.y + y, pointerId: 1, bubbles: true,
        button: 0, pointerType: "touch"});
    canvas.setPointerCapture = () => {};
    canvas.dispatchEvent(new PointerEvent("pointerdown", at(50, 50)));
    for (let i = 0; i < 40; i++) {
        canvas.dispatchEvent(new PointerEvent("pointermove", at(50 + i, 50 + i / 2)));
        await new Promise((go) => requestAnimationFrame(go));
    }
    canvas.dispatchEvent(new PointerEvent("pointerup", at(90, 70)));
}"""


@pytest.mark.parametrize("key", ["i", "b", "x", "+", "d"])
def test_a_key_changes_both_pictures_alike_and_zero_puts_them_back(room, key):
    map_on(room)
    room.keyboard.press("h")
    drawn_again(room)
    image, other = pixels(room, ".pn-image"), pixels(room, ".pn-map")
    assert image["sum"] == other["sum"], "without its map both are the same image"
    room.keyboard.press(key)
    drawn_again(room)
    assert pixels(room, ".pn-image")["sum"] == pixels(room, ".pn-map")["sum"] != image["sum"]
    room.keyboard.press("0")
    drawn_again(room)
    assert pixels(room, ".pn-image")["sum"] == image["sum"]


def test_dragging_changes_the_window_and_the_wheel_zooms(room):
    before = pixels(room, ".pn-image")["sum"]
    box = room.locator(".pn-image canvas").bounding_box()
    room.mouse.move(box["x"] + 100, box["y"] + 100)
    room.mouse.down()
    room.mouse.move(box["x"] + 160, box["y"] + 80, steps=4)
    room.mouse.up()
    drawn_again(room)
    windowed = pixels(room, ".pn-image")["sum"]
    assert windowed != before and "0–255" not in room.inner_text(".pn-image .pn-legend")
    room.mouse.wheel(0, -300)
    drawn_again(room)
    assert "zoom 1.0" not in room.inner_text(".pn-image .pn-legend")
    room.dblclick(".pn-image canvas", position={"x": 50, "y": 50})
    drawn_again(room)
    assert pixels(room, ".pn-image")["sum"] == before


def test_the_map_has_an_opacity_a_contour_and_a_legend_with_numbers(room):
    map_on(room)
    wash = pixels(room, ".pn-map")
    room.fill(".pn-opacity input", "0.2")
    drawn_again(room)
    legend = room.inner_text(".pn-map .pn-legend")
    if text("map.none.for") not in legend:
        assert any(mark in legend for mark in "0123456789")
        assert pixels(room, ".pn-map")["sum"] != wash["sum"]
    room.keyboard.press("e")
    drawn_again(room)
    assert room.get_attribute("[data-tool=sign]", "aria-pressed") == "true"
    room.keyboard.press("c")
    drawn_again(room)
    assert room.get_attribute("[data-tool=style]", "aria-pressed") == "true"


COUNT_PICTURES = """() => {
    window.pictures = 0;
    const make = window.createImageBitmap;
    window.createImageBitmap = (...all) => {
        window.pictures += 1;
        return make(...all);
    };
}"""


def chosen(room) -> str:
    return room.input_value("input[name=pn-model]:checked")


def test_policy_and_prevalence_are_the_servers_words_and_send_no_image(room):
    room.evaluate(COUNT_PICTURES)
    model, before = chosen(room), probability(room)
    card = read_card(model)
    balanced = at_prevalence(before, 1 - card.prevalence)
    for name in ("cautious", "decisive", "balanced"):
        if room.input_value("input[name=pn-policy]:checked") != name:
            decided(room, lambda name=name: choose(room, "policy", name))
        label = decide(balanced, card.policies[name].policy)
        assert room.get_attribute(".pn-result", "data-label") == label
        assert text(f"policy.{name}") in room.inner_text(".pn-basis")
    decided(room, lambda: room.fill("input[name=prevalence]", "5") or room.keyboard.press("Enter"))
    assert probability(room) == pytest.approx(at_prevalence(balanced, 0.05), abs=1e-6)
    assert "5.0 %" in room.inner_text(".pn-at")
    assert room.evaluate("() => window.pictures") == 0


def test_custom_thresholds_change_the_label_and_follow_the_prevalence(room):
    decided(room, lambda: choose(room, "policy", "custom"))

    def enter(name: str, value: str) -> None:
        decided(
            room,
            lambda: (
                room.fill(f".pn-room input[name={name}]", value) or room.keyboard.press("Enter")
            ),
        )

    enter("rule_out", "0")
    enter("rule_in", "100")
    assert room.get_attribute(".pn-result", "data-label") == "INDETERMINATE"
    assert room.is_visible(".pn-bar .pn-band")
    enter("rule_in", "0")
    assert room.get_attribute(".pn-result", "data-label") == "PNEUMONIA"
    enter("rule_out", "60")
    assert "rule-out must not exceed" in room.inner_text(".pn-policy .pn-wrong")
    enter("rule_in", "70")
    assert room.inner_text(".pn-policy .pn-wrong") == ""
    label = room.get_attribute(".pn-result", "data-label")
    enter("prevalence", "1")
    assert room.get_attribute(".pn-result", "data-label") == label
    assert float(room.input_value(".pn-room input[name=rule_out]")) < 10


@pytest.mark.parametrize("value", ["0", "100", "half"])
def test_a_wrong_prevalence_is_told_and_the_result_stays(room, value: str):
    before = room.inner_text(".pn-result")
    decided(
        room, lambda: room.fill("input[name=prevalence]", value) or room.keyboard.press("Enter")
    )
    assert room.inner_text(".pn-prior .pn-wrong") == text("prevalence.wrong")
    assert room.inner_text(".pn-result") == before
    decided(room, lambda: room.fill("input[name=prevalence]", "") or room.keyboard.press("Enter"))
    assert room.inner_text(".pn-prior .pn-wrong") == ""


def test_measured_rates_open_under_how_sure_and_stay_open(room):
    assert not room.is_visible(".pn-how table")
    room.click(".pn-how summary")
    decided(room, lambda: choose(room, "policy", "cautious"))
    measured = read_card(chosen(room)).policies["cautious"]
    rate = (measured.test or measured.validation).sensitivity
    shown = room.inner_text(".pn-how table")
    if room.query_selector(".pn-outside"):
        assert "PPV" not in shown
    else:
        assert f"{rate.value:.2f}" in shown and "PPV / NPV" in shown


def test_all_models_side_by_side_with_a_word_on_their_agreement(room, images):
    choose(room, "model", "all")
    room.wait_for_selector(".pn-versus")
    settled(room)
    expected = {name: Reader(name).predict(images / "image-1.png") for name in available_models()}
    shown = room.eval_on_selector_all(
        ".pn-result", "all => all.map(r => [r.dataset.model, r.dataset.label])"
    )
    assert dict(shown) == {name: reading.label for name, reading in expected.items()}
    agree = len({reading.label for reading in expected.values()}) == 1
    assert (text("result.differ") in room.inner_text(".pn-agreement")) is not agree
    assert len(room.query_selector_all(".pn-panes canvas")) == 1 + len(expected)


def test_a_map_that_was_not_asked_for_is_drawn_only_where_it_is_to_be_believed(room):
    card = read_card(chosen(room))
    likely = room.get_attribute(".pn-result", "data-label") != "NORMAL"
    expected = card.evidence.reliable_side and likely
    pressed = room.get_attribute("[data-tool=map]", "aria-pressed") == "true"
    assert pressed == expected
    if not expected:
        assert pixels(room, ".pn-map")["coloured"] == 0
        assert room.inner_text(".pn-map .pn-legend").startswith("Heatmap off")
    room.keyboard.press("h")
    drawn_again(room)
    assert (room.get_attribute("[data-tool=map]", "aria-pressed") == "true") is not expected


def test_layouts_follow_each_other(room):
    shown = []
    for _ in range(3):
        drawn_again(room)
        boxes = [pane.bounding_box() for pane in room.locator(".pn-canvas:visible").all()]
        shown.append((len(boxes), len({round(box["x"]) for box in boxes})))
        room.keyboard.press("s")
    assert shown == [(2, 2), (1, 1), (2, 1)]


def test_an_image_is_pasted(page, images):
    content = base64.b64encode((images / "image-1.png").read_bytes()).decode()
    page.evaluate(
        """(content) => {
        const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
        const clipboardData = new DataTransfer();
        clipboardData.items.add(new File([bytes], "image.png", { type: "image/png" }));
        document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
    }""",
        content,
    )
    settled(page)
    assert page.query_selector(".pn-result")


def test_the_next_preset_and_moving_are_keys_too(room):
    first = room.input_value("input[name=pn-policy]:checked")
    room.keyboard.press("n")
    assert room.input_value("input[name=pn-policy]:checked") != first
    room.locator(".pn-stage").focus()
    room.keyboard.press("+")
    drawn_again(room)
    before = pixels(room, ".pn-image")["sum"]
    room.keyboard.press("ArrowLeft")
    drawn_again(room)
    assert pixels(room, ".pn-image")["sum"] != before


def test_keys_do_nothing_behind_an_open_dialog(room):
    before = pixels(room, ".pn-image")["sum"]
    room.keyboard.press("p")
    room.locator("[data-report=pdf]").focus()
    for key in ("i", "p", "?"):
        room.keyboard.press(key)
    drawn_again(room)
    assert pixels(room, ".pn-image")["sum"] == before
    assert room.locator("dialog[open]").count() == 1


def test_help_lists_the_keys_and_can_switch_them_off(room):
    room.keyboard.press("?")
    assert room.is_visible("dialog.pn-keys")
    assert "Invert" in room.inner_text("dialog.pn-keys")
    room.uncheck("dialog.pn-keys input")
    room.keyboard.press("Escape")
    before = pixels(room, ".pn-image")["sum"]
    room.keyboard.press("i")
    drawn_again(room)
    assert pixels(room, ".pn-image")["sum"] == before


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 0, 2, 1)])
def test_hammering_never_shows_one_images_result_with_anothers_picture(page, images, order):
    contents = [(images / f"image-{seed}.png").read_bytes() for seed in range(4)]
    alone = {}
    for seed in range(4):
        drop(page, contents[seed])
        settled(page)
        alone[probability(page)] = pixels(page, ".pn-image")["sum"]
    assert len(alone) == 4
    for round_ in range(6):
        for seed in order:
            drop(page, contents[seed])
            page.wait_for_timeout(15 * round_)
            if page.query_selector(".pn-room[data-state=ready]"):
                state = page.evaluate(
                    "() => Number(document.querySelector('[data-probability]').dataset.probability)"
                )
                assert state in alone
        drop(page, b"no image at all") if round_ == 3 else None
    drop(page, contents[order[-1]])
    settled(page)
    assert alone[probability(page)] == pixels(page, ".pn-image")["sum"]
    drop(page, contents[0])
    drop(page, b"no image at all")
    settled(page, "error")
    assert not page.query_selector("canvas")


def test_the_window_of_a_large_image_is_dragged(page, images):
    image = cv2.imread(str(images / "image-1.png"), cv2.IMREAD_GRAYSCALE)
    large = cv2.resize(image, (3000, 3000), interpolation=cv2.INTER_CUBIC)
    drop(page, cv2.imencode(".jpg", large)[1].tobytes())
    settled(page)
    before = pixels(page, ".pn-image")["sum"]
    page.evaluate(FRAMES)
    assert pixels(page, ".pn-image")["sum"] != before


def test_a_refused_image_is_shown_dimmed_and_can_be_analyzed_all_the_same(page, images):
    photo = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    drop(page, cv2.imencode(".png", photo)[1].tobytes())
    settled(page, "refused")
    assert page.inner_text(".pn-error p").endswith(".")
    assert float(page.eval_on_selector(".pn-canvas", "c => getComputedStyle(c).opacity")) < 0.6
    assert pixels(page, ".pn-image")["width"] > 100
    page.click(".pn-error button")
    settled(page)
    assert page.query_selector(".pn-warnings") and page.query_selector(".pn-outside")


@pytest.mark.parametrize(("kind", "start"), [("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_the_report_is_one_click_and_a_comment(room, kind, start):
    room.keyboard.press("p")
    room.fill("#pn-comment", "Looks well.")
    with room.expect_download() as download:
        room.click(f"[data-report={kind}]")
    assert download.value.path().read_bytes().startswith(start)
    assert download.value.suggested_filename == f"pneumo-report.{kind}"
