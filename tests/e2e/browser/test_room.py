"""The reading room's tools and choices, and that it never mixes two films."""

import re

import pytest

from pneumo.models.checkpoint import available_models, read_card
from pneumo.reading.decision import band_of, label_of, predictive_values
from pneumo.reading.reader import Reader
from pneumo.ui.cards import curve_point, rate_words
from pneumo.ui.texts import text
from tests.e2e.browser.hands import choose, drawn_again, drop, pixels, probability, settled

COUNT_READS = """() => {
    window.reads = 0;
    const fetch = window.fetch;
    window.fetch = (...all) => {
        window.reads += String(all[0]).includes("component_server");
        return fetch(...all);
    };
}"""

FRAMES = """async () => {
    const canvas = document.querySelector(".pn-film canvas");
    const box = canvas.getBoundingClientRect();
    const at = (x, y) => ({clientX: box.x + x, clientY: box.y + y, pointerId: 1, bubbles: true,
        button: 0, pointerType: "touch"});
    canvas.setPointerCapture = () => {};
    canvas.dispatchEvent(new PointerEvent("pointerdown", at(50, 50)));
    const before = performance.now();
    for (let i = 0; i < 40; i++) {
        canvas.dispatchEvent(new PointerEvent("pointermove", at(50 + i, 50 + i / 2)));
        await new Promise((go) => requestAnimationFrame(go));
    }
    canvas.dispatchEvent(new PointerEvent("pointerup", at(90, 70)));
    return 40000 / (performance.now() - before);
}"""


@pytest.mark.parametrize("key", ["i", "b", "x", "+", "d"])
def test_a_key_changes_both_pictures_alike_and_zero_puts_them_back(room, key):
    room.keyboard.press("h")
    drawn_again(room)
    film, other = pixels(room, ".pn-film"), pixels(room, ".pn-heat")
    assert film["sum"] == other["sum"], "without heat both are the same film"
    room.keyboard.press(key)
    drawn_again(room)
    assert pixels(room, ".pn-film")["sum"] == pixels(room, ".pn-heat")["sum"] != film["sum"]
    room.keyboard.press("0")
    drawn_again(room)
    assert pixels(room, ".pn-film")["sum"] == film["sum"]


def test_dragging_changes_the_window_and_the_wheel_zooms(room):
    before = pixels(room, ".pn-film")["sum"]
    box = room.locator(".pn-film canvas").bounding_box()
    room.mouse.move(box["x"] + 100, box["y"] + 100)
    room.mouse.down()
    room.mouse.move(box["x"] + 160, box["y"] + 80, steps=4)
    room.mouse.up()
    drawn_again(room)
    windowed = pixels(room, ".pn-film")["sum"]
    assert windowed != before and "0 to 255" not in room.inner_text(".pn-film .pn-legend")
    room.mouse.wheel(0, -300)
    drawn_again(room)
    assert "zoom 1.0" not in room.inner_text(".pn-film .pn-legend")
    room.dblclick(".pn-film canvas", position={"x": 50, "y": 50})
    drawn_again(room)
    assert pixels(room, ".pn-film")["sum"] == before


def test_the_heat_has_an_opacity_a_contour_and_a_legend_with_numbers(room):
    wash = pixels(room, ".pn-heat")
    room.fill(".pn-opacity input", "0.2")
    drawn_again(room)
    assert pixels(room, ".pn-heat")["sum"] != wash["sum"]
    legend = room.inner_text(".pn-heat .pn-legend")
    assert "No positive evidence" in legend or any(mark in legend for mark in "0123456789")
    room.keyboard.press("e")
    drawn_again(room)
    assert "against" in room.inner_text(".pn-heat .pn-legend").lower()
    assert room.get_attribute("[data-tool=sign]", "aria-pressed") == "true"
    room.keyboard.press("c")
    drawn_again(room)
    assert room.get_attribute("[data-tool=style]", "aria-pressed") == "true"


def test_threshold_and_prevalence_never_ask_the_network_again(room):
    room.evaluate(COUNT_READS)
    answer = room.inner_text(".pn-result")
    for point in ("high_sensitivity", "high_specificity", "own"):
        choose(room, "point", point)
    value = probability(room)
    band = band_of(read_card(room.input_value("input[name=pn-model]:checked")))
    for threshold in (max(0, value - 0.1), min(1, value + 0.1)):
        room.fill(".pn-own input", f"{threshold:.2f}")
        label = label_of(value, float(f"{threshold:.2f}"), band)[0]
        if threshold not in (0, 1):
            assert room.get_attribute(".pn-result", "data-label") == label
    room.fill(".pn-prevalence input", "10")
    assert room.inner_text(".pn-result") != answer
    assert probability(room) == value
    assert room.evaluate("() => window.reads") == 0


def test_points_carry_their_measured_rates(room):
    model = room.input_value("input[name=pn-model]:checked")
    for name, point in read_card(model)["operating_points"].items():
        choose(room, "point", name)
        measured = point.get("test") or point["validation"]
        shown = room.inner_text(".pn-result")
        rate = measured["sensitivity"]
        assert f"{rate['value']:.2f} ({rate['low']:.2f} to {rate['high']:.2f})" in shown
        assert f"{point['threshold']:.3f}" in shown


@pytest.mark.parametrize("threshold", [0.07, 0.5, 0.93, 1.0])
def test_an_own_threshold_has_the_rates_of_the_stored_curve_and_what_they_mean_here(
    room, threshold
):
    card = read_card(room.input_value("input[name=pn-model]:checked"))
    point = curve_point(card, threshold)
    choose(room, "point", "own")
    room.fill(".pn-own input", str(threshold))
    room.fill(".pn-prevalence input", "20")
    shown = room.inner_text(".pn-result")
    rates = [point[name]["value"] for name in ("sensitivity", "specificity")]
    for name, rate in zip(("Sensitivity", "Specificity"), rates, strict=True):
        assert f"{name}, {point['split']}\n{rate:.2f}" in shown
    assert rate_words(point["sensitivity"]) == f"{rates[0]:.2f}", "no interval: none was measured"
    for value in predictive_values(*rates, 0.2):
        if value is None:
            assert "–" in shown
        elif 0.01 < value < 0.99:
            assert f"{100 * value:.0f} %" in shown


def test_an_uncertain_film_is_called_so_in_words_and_on_the_bar(page, films, app_url):
    def with_band(route):
        reply = route.fetch()
        band = r'\1{\\"low\\": 0.0, \\"high\\": 1.0}'
        body, count = re.subn(r'(\\"uncertain\\": )(null|\{[^{}]*\})', band, reply.text())
        assert count
        route.fulfill(response=reply, body=body)

    page.route(f"{app_url}/", with_band)
    page.goto(app_url)
    page.wait_for_selector(".pn-example")
    drop(page, (films / "film-1.png").read_bytes())
    settled(page)
    assert page.get_attribute(".pn-result", "data-label") == "UNCERTAIN"
    assert page.inner_text(".pn-label") == text("answer.UNCERTAIN")
    assert page.is_visible(".pn-bar .pn-band")
    assert text("answer.band.at", low="0.000", high="1.000") in page.inner_text(".pn-result")
    choose(page, "point", "own")
    page.fill(".pn-own input", "0.5")
    assert page.get_attribute(".pn-result", "data-label") == "UNCERTAIN"
    assert text("answer.UNCERTAIN.say") in page.get_attribute(".pn-heat canvas", "aria-label")


def test_all_models_side_by_side_with_a_word_on_their_agreement(room, films):
    choose(room, "model", "all")
    room.wait_for_selector(".pn-versus")
    settled(room)
    expected = {name: Reader(name).read(films / "film-1.png") for name in available_models()}
    shown = room.eval_on_selector_all(
        ".pn-result", "all => all.map(r => [r.dataset.model, r.dataset.label])")
    assert dict(shown) == {name: reading.label for name, reading in expected.items()}
    agree = len({reading.label for reading in expected.values()}) == 1
    assert ("disagree" in room.inner_text(".pn-agreement")) is not agree
    assert len(room.query_selector_all(".pn-panes canvas")) == 1 + len(expected)


def test_the_next_operating_point_and_moving_are_keys_too(room):
    first = room.input_value("input[name=pn-point]:checked")
    room.keyboard.press("n")
    assert room.input_value("input[name=pn-point]:checked") != first
    room.locator(".pn-stage").focus()
    room.keyboard.press("+")
    drawn_again(room)
    before = pixels(room, ".pn-film")["sum"]
    room.keyboard.press("ArrowLeft")
    drawn_again(room)
    assert pixels(room, ".pn-film")["sum"] != before


def test_keys_do_nothing_behind_an_open_dialog(room):
    before = pixels(room, ".pn-film")["sum"]
    room.keyboard.press("p")
    room.locator("[data-report=pdf]").focus()
    for key in ("i", "p", "?"):
        room.keyboard.press(key)
    drawn_again(room)
    assert pixels(room, ".pn-film")["sum"] == before
    assert room.locator("dialog[open]").count() == 1


def test_help_lists_the_keys_and_can_switch_them_off(room):
    room.keyboard.press("?")
    assert room.is_visible("dialog.pn-keys")
    assert "Invert" in room.inner_text("dialog.pn-keys")
    room.uncheck("dialog.pn-keys input")
    room.keyboard.press("Escape")
    before = pixels(room, ".pn-film")["sum"]
    room.keyboard.press("i")
    drawn_again(room)
    assert pixels(room, ".pn-film")["sum"] == before


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 0, 2, 1)])
def test_hammering_never_shows_one_films_answer_with_anothers_picture(page, films, order):
    contents = [(films / f"film-{seed}.png").read_bytes() for seed in range(4)]
    alone = {}
    for seed in range(4):
        drop(page, contents[seed])
        settled(page)
        alone[probability(page)] = pixels(page, ".pn-film")["sum"]
    assert len(alone) == 4
    for round_ in range(6):
        for seed in order:
            drop(page, contents[seed])
            page.wait_for_timeout(15 * round_)
            if page.query_selector(".pn-room[data-state=ready]"):
                state = page.evaluate(
                    "() => Number(document.querySelector('[data-probability]')"
                    ".dataset.probability)")
                assert state in alone
        drop(page, b"no film at all") if round_ == 3 else None
    drop(page, contents[order[-1]])
    settled(page)
    assert alone[probability(page)] == pixels(page, ".pn-film")["sum"]
    drop(page, contents[0])
    drop(page, b"no film at all")
    settled(page, "error")
    assert not page.query_selector("canvas")


def test_dragging_the_window_of_a_large_film_is_smooth(page, films):
    import cv2

    film = cv2.imread(str(films / "film-1.png"), cv2.IMREAD_GRAYSCALE)
    large = cv2.resize(film, (3000, 3000), interpolation=cv2.INTER_CUBIC)
    drop(page, cv2.imencode(".jpg", large)[1].tobytes())
    settled(page)
    before = pixels(page, ".pn-film")["sum"]
    frames = page.evaluate(FRAMES)
    print(f"{frames:.0f} frames per second")
    assert pixels(page, ".pn-film")["sum"] != before


def test_a_refused_film_can_be_read_all_the_same(page, films):
    refusals = []

    def refuse_once(route):
        if refusals:
            route.continue_()
            return
        refusals.append(route)
        route.fulfill(json={"status": "refused", "reason": "No chest film.", "token": "gone"})

    page.wait_for_selector(".pn-example")
    page.route("**/component_server**", refuse_once)
    drop(page, (films / "film-1.png").read_bytes())
    settled(page, "error")
    assert page.inner_text(".pn-error p") == "No chest film."
    page.click(".pn-error button")
    settled(page)
    expected = Reader(page.input_value("input[name=pn-model]:checked"), guard=False)
    assert probability(page) == pytest.approx(
        expected.read(films / "film-1.png").probability, abs=1e-5)


@pytest.mark.parametrize(("kind", "start"), [("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_the_report_is_one_click_and_a_comment(room, kind, start):
    room.keyboard.press("p")
    room.fill("#pn-comment", "Looks well.")
    with room.expect_download() as download:
        room.click(f"[data-report={kind}]")
    assert download.value.path().read_bytes().startswith(start)
    assert download.value.suggested_filename == f"pneumo-report.{kind}"
