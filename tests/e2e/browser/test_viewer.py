"""One image in the browser: what is shown, the viewer's tools and choices, bad files."""

import base64

import cv2
import numpy as np
import pytest

from pneumo.models.card import read_card
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

PASTE = """(content) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([bytes], "image.png", { type: "image/png" }));
    document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
}"""

# What the names of sent files and the values of other fields are.
NAMES = """() => {
    window.sentNames = [];
    const fetch = window.fetch;
    window.fetch = (...all) => {
        const body = all[1]?.body;
        if (body instanceof FormData) {
            window.sentNames.push(...[...body.values()].map((value) => value.name ?? value));
        }
        return fetch(...all);
    };
}"""


def press(page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
    drawn_again(page)


def shown(page, pane: str = ".pn-image") -> int:
    """A checksum of what a pane shows."""
    return pixels(page, pane)["sum"]


def pressed(page, tool: str) -> bool:
    return page.get_attribute(f"[data-tool={tool}]", "aria-pressed") == "true"


def chosen(page) -> str:
    return page.input_value("input[name=pn-model]:checked")


def enter(page, name: str, value: str) -> None:
    field = f".pn-room input[name={name}]"
    decided(page, lambda: page.fill(field, value) or page.keyboard.press("Enter"))


def test_a_dropped_image_is_analyzed_and_again_by_the_other_model(page, images):
    image = images / "image-1.png"
    page.evaluate(NAMES)
    drop(page, image.read_bytes(), "MUSTERMANN_ERIKA.png")
    settled(page)
    assert "image" in page.evaluate("() => window.sentNames")
    assert not any("MUSTERMANN" in name for name in page.evaluate("() => window.sentNames"))
    map_on(page)
    plain, heat = pixels(page, ".pn-image"), pixels(page, ".pn-map")
    assert (plain["width"], plain["height"]) == (heat["width"], heat["height"])
    assert plain["coloured"] == 0
    first, words = chosen(page), page.inner_text(".pn-answer")
    assert probability(page) == pytest.approx(Reader(first).predict(image).probability, abs=1e-5)
    for word in ("Probability of pneumonia", "prevalence", "Balanced", "How sure?"):
        assert words.count(word) == 1, word
    assert "medical device" in page.inner_text(".pn-disclaimer")
    assert "Grad-CAM" in page.get_attribute(".pn-map canvas", "aria-label")
    other = next(name for name in ("cnn", "resnet18") if name != first)
    choose(page, "model", other)
    page.wait_for_selector(f".pn-result[data-model={other}]")
    settled(page)
    assert probability(page) == pytest.approx(Reader(other).predict(image).probability, abs=1e-5)
    assert shown(page) == plain["sum"]


def test_a_bad_file_gives_one_sentence_and_the_next_image_works(page, images):
    good = (images / "image-1.png").read_bytes()
    for content in (b"no picture at all", good[:3000]):
        drop(page, good)
        settled(page)
        assert not page.query_selector(".pn-error") and page.query_selector(".pn-map canvas")
        drop(page, content, "holiday.jpg")
        settled(page, "error")
        sentence = page.inner_text(".pn-error p")
        assert 20 < len(sentence) < 300 and sentence.endswith(".") and "holiday" not in sentence
        assert not page.query_selector(".pn-result") and not page.query_selector("canvas")


def test_a_refused_image_is_shown_dimmed_and_can_be_analyzed_all_the_same(page):
    photo = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    drop(page, cv2.imencode(".png", photo)[1].tobytes())
    settled(page, "refused")
    assert page.inner_text(".pn-error p").endswith(".")
    assert float(page.eval_on_selector(".pn-canvas", "c => getComputedStyle(c).opacity")) < 0.6
    assert pixels(page, ".pn-image")["width"] > 100
    page.click(".pn-error button")
    settled(page)
    assert page.query_selector(".pn-warnings") and page.query_selector(".pn-outside")


def test_examples_are_clicked_and_dragged_and_an_image_is_pasted(page, images):
    examples = page.locator(".pn-example")
    examples.first.wait_for()
    assert examples.count() == 2 and "no patient" in page.inner_text(".pn-example-note")

    def is_shown(number: int) -> None:
        expected = Reader(chosen(page)).predict(images / f"image-{number}.png").probability
        page.wait_for_function(
            "expected => Math.abs(Number(document.querySelector('[data-probability]')?.dataset"
            ".probability) - expected) < 1e-4",
            arg=expected,
        )
        settled(page)

    examples.nth(0).click()
    is_shown(2)
    examples.nth(1).drag_to(page.locator(".pn-stage"))
    is_shown(3)
    page.evaluate(PASTE, base64.b64encode((images / "image-1.png").read_bytes()).decode())
    is_shown(1)


def test_tools_change_both_pictures_alike_and_zero_puts_them_back(room):
    map_on(room)
    press(room, "h")
    before = shown(room)
    assert before == shown(room, ".pn-map"), "without its map both are the same image"
    for keys in ("i", "b", "x", "+", "d"):
        press(room, keys)
        assert before != shown(room) == shown(room, ".pn-map"), keys
        press(room, "0")
        assert shown(room) == before, keys
    box = room.locator(".pn-image canvas").bounding_box()
    room.mouse.move(box["x"] + 100, box["y"] + 100)
    room.mouse.down()
    room.mouse.move(box["x"] + 160, box["y"] + 80, steps=4)
    room.mouse.up()
    drawn_again(room)
    assert shown(room) != before and "0–255" not in room.inner_text(".pn-image .pn-legend")
    room.mouse.wheel(0, -300)
    drawn_again(room)
    assert "zoom 1.0" not in room.inner_text(".pn-image .pn-legend")
    room.dblclick(".pn-image canvas", position={"x": 50, "y": 50})
    drawn_again(room)
    assert shown(room) == before


def test_a_map_is_drawn_where_it_is_to_be_believed_and_has_opacity_sign_and_contour(room):
    likely = room.get_attribute(".pn-result", "data-label") != "NORMAL"
    expected = read_card(chosen(room)).evidence.reliable_side and likely
    assert pressed(room, "map") == expected
    press(room, "h")
    assert pressed(room, "map") is not expected
    map_on(room)
    wash = shown(room, ".pn-map")
    room.fill(".pn-opacity input", "0.2")
    drawn_again(room)
    legend = room.inner_text(".pn-map .pn-legend")
    if text("map.none.for") not in legend:
        assert any(mark in legend for mark in "0123456789") and shown(room, ".pn-map") != wash
    press(room, "e", "c")
    assert pressed(room, "sign") and pressed(room, "style")
    layouts = []
    for _ in range(4):
        boxes = [pane.bounding_box() for pane in room.locator(".pn-canvas:visible").all()]
        layouts.append((len(boxes), *(len({round(box[side]) for box in boxes}) for side in "xy")))
        press(room, "s")
    assert layouts == [(2, 2, 1), (1, 1, 1), (2, 1, 2), (2, 1, 1)], "side, overlay, stacked, swipe"
    room.select_option("[data-tool=layout]", "swipe")
    room.fill(".pn-swipe", "0.2")
    assert "0.2" in room.get_attribute(".pn-panes", "style")
    room.select_option("[data-tool=layout]", "auto")
    room.set_viewport_size({"width": 950, "height": 1300})
    drawn_again(room)
    assert room.get_attribute(".pn-room", "data-layout") == "stacked", "where that is larger"
    room.select_option("[data-tool=window]", "lung")
    drawn_again(room)
    assert "0–160" in room.inner_text(".pn-image .pn-legend")


def test_policy_and_prevalence_are_the_servers_words_and_send_no_image(room):
    sent: list[int] = []
    room.on("request", lambda one: sent.append(len(one.post_data_buffer or b"")))
    card, before = read_card(chosen(room)), probability(room)
    balanced = at_prevalence(before, 1 - card.prevalence)
    for name in ("cautious", "decisive", "balanced"):
        decided(room, lambda name=name: choose(room, "policy", name))
        label = decide(balanced, card.policies[name].policy)
        assert room.get_attribute(".pn-result", "data-label") == label
        assert text(f"policy.{name}") in room.inner_text(".pn-basis")
    enter(room, "prevalence", "5")
    assert probability(room) == pytest.approx(at_prevalence(balanced, 0.05), abs=1e-6)
    assert "5.0 %" in room.inner_text(".pn-at")
    result = room.inner_text(".pn-result")
    for value in ("0", "half"):
        enter(room, "prevalence", value)
        assert room.inner_text(".pn-prior .pn-wrong") == text("prevalence.wrong")
        assert room.inner_text(".pn-result") == result
    enter(room, "prevalence", "")
    assert room.inner_text(".pn-prior .pn-wrong") == ""
    assert probability(room) == before and all(0 < size < 2000 for size in sent)
    room.click(".pn-how summary")
    press(room, "n")  # the next preset
    room.wait_for_selector(".pn-how table", state="visible")
    if not room.query_selector(".pn-outside"):
        assert "PPV / NPV" in room.inner_text(".pn-how table")


def test_reports_are_saved_and_keys_can_be_switched_off(room):
    before = shown(room)
    press(room, "p")
    room.fill("#pn-comment", "Looks well.")
    for kind, start in (("pdf", b"%PDF"), ("png", b"\x89PNG")):
        with room.expect_download() as download:
            room.click(f"[data-report={kind}]")
        assert download.value.path().read_bytes().startswith(start)
        assert download.value.suggested_filename == f"pneumo-report.{kind}"
    press(room, "Escape", "?")
    room.uncheck("dialog.pn-keys input")  # keys are switched off
    press(room, "Escape", "i")
    assert shown(room) == before


def test_a_german_browser_is_answered_in_german_until_english_is_chosen(open_page, images):
    page = open_page(locale="de-DE")
    drop(page, (images / "image-1.png").read_bytes())
    settled(page)
    answer = page.inner_text(".pn-answer")
    assert "Wahrscheinlichkeit einer Pneumonie" in answer and "Wie sicher?" in answer
    drop(page, b"no image")
    settled(page, "error")
    assert "Bitte" in page.inner_text(".pn-error p")
    with page.expect_navigation():
        page.select_option(".pn-language", "en")
    page.wait_for_selector(".pn-controls input")
    assert page.inner_text(".pn-empty") == "The result appears here."


def test_hammering_never_shows_one_images_result_with_anothers_picture(page, images):
    contents = [(images / f"image-{number}.png").read_bytes() for number in range(3)]
    alone = {}
    for content in contents:
        drop(page, content)
        settled(page)
        alone[probability(page)] = shown(page)
    assert len(alone) == 3
    for wait in (0, 60):
        for number in (2, 0, 1):
            drop(page, contents[number])
            page.wait_for_timeout(wait)
            if page.query_selector(".pn-room[data-state=ready]"):
                assert probability(page) in alone
        drop(page, b"no image at all")
    drop(page, contents[1])
    settled(page)
    assert alone[probability(page)] == shown(page)
    drop(page, contents[0])
    drop(page, b"no image at all")
    settled(page, "error")
    assert not page.query_selector("canvas")
