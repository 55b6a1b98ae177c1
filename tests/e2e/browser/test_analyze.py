"""An image in the browser: dropped, by both models, bad files, examples."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from pneumo.reading.reader import Reader
from tests.e2e.browser.hands import choose, drop, map_on, pixels, probability, settled


def jpeg_cut_off(image) -> bytes:
    data = image.read_bytes()
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    return cv2.imencode(".jpg", picture)[1].tobytes()[:3000]


def png_of_100_megapixels() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checked)

    side = 10_000
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (1 + side // 8) * side, 1)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def test_a_dropped_image_is_read_at_once_and_again_by_the_other_model(page, images):
    image = images / "image-1.png"
    drop(page, image.read_bytes())
    settled(page)
    map_on(page)
    plain, heat = pixels(page, ".pn-image"), pixels(page, ".pn-map")
    assert (plain["width"], plain["height"]) == (heat["width"], heat["height"])
    assert plain["coloured"] == 0
    first = probability(page)
    models = page.eval_on_selector_all("input[name=pn-model]", "all => all.map(i => i.value)")
    chosen = page.input_value("input[name=pn-model]:checked")
    assert first == pytest.approx(Reader(chosen).predict(image).probability, abs=1e-5)
    other = next(name for name in models if name in ("cnn", "resnet18") and name != chosen)
    choose(page, "model", other)
    page.wait_for_selector(f".pn-result[data-model={other}]")
    settled(page)
    assert probability(page) != first
    assert probability(page) == pytest.approx(Reader(other).predict(image).probability, abs=1e-5)
    assert pixels(page, ".pn-image")["sum"] == plain["sum"]


def test_the_result_says_each_thing_once_and_the_disclaimer_stands(page, images):
    page.set_input_files(".pn-room .pn-file", images / "image-0.png")
    settled(page)
    shown = page.inner_text(".pn-answer")
    for word in ("Probability of pneumonia", "prevalence", "Balanced", "How sure?"):
        assert shown.count(word) == 1, word
    assert "research and teaching" in page.inner_text(".pn-disclaimer")
    assert "medical device" in page.inner_text(".pn-disclaimer")
    assert "Grad-CAM" in page.get_attribute(".pn-map canvas", "aria-label")


@pytest.mark.parametrize("kind", ["no picture", "truncated", "empty", "too large"])
def test_a_bad_file_gives_one_sentence_and_the_next_image_works(page, images, kind):
    good = (images / "image-1.png").read_bytes()
    drop(page, good)
    settled(page)
    bad = {
        "no picture": lambda: b"These are words and no picture at all. " * 20,
        "truncated": lambda: jpeg_cut_off(images / "image-0.png"),
        "empty": lambda: b"",
        "too large": png_of_100_megapixels,
    }[kind]()
    drop(page, bad, "holiday.jpg")
    settled(page, "error")
    sentence = page.inner_text(".pn-error p")
    assert 20 < len(sentence) < 300 and sentence.endswith(".") and "holiday" not in sentence
    assert not page.query_selector(".pn-result") and not page.query_selector("canvas")
    drop(page, good)
    settled(page)
    assert not page.query_selector(".pn-error") and page.query_selector(".pn-map canvas")


def test_an_example_is_clicked_and_another_dragged(page, images):
    examples = page.locator(".pn-example")
    examples.first.wait_for()
    assert examples.count() == 2
    assert "no patient" in page.inner_text(".pn-example-note")
    examples.nth(0).click()
    settled(page)
    clicked = probability(page)
    examples.nth(1).drag_to(page.locator(".pn-stage"))
    page.wait_for_function(
        "before => Number(document.querySelector('[data-probability]')?.dataset.probability)"
        " !== before",
        arg=clicked,
    )
    settled(page)
    chosen = page.input_value("input[name=pn-model]:checked")
    expected = Reader(chosen).predict(images / "image-3.png").probability
    assert probability(page) == pytest.approx(expected, abs=1e-5)


NAMES = """() => {
    window.sentNames = [];
    const fetch = window.fetch;
    window.fetch = (...all) => {
        if (all[1]?.body instanceof FormData) {
            window.sentNames.push(...[...all[1].body.values()].map((value) => value.name ?? ""));
        }
        return fetch(...all);
    };
}"""


def test_nothing_of_an_image_stays_on_disk_and_its_name_is_never_sent(page, images):
    page.evaluate(NAMES)
    drop(page, (images / "image-0.png").read_bytes(), "MUSTERMANN_ERIKA.png")
    settled(page)
    names = page.evaluate("() => window.sentNames")
    assert "image" in names and not any("MUSTERMANN" in name for name in names)
    assert [path for path in (images / "uploads").rglob("*") if path.is_file()] == []
