"""Fingers on the pictures: pinch, two-finger move, one-finger move, and scrolling past them."""

import re

import pytest

from tests.e2e.browser.hands import drawn_again, map_on, pixels


class Fingers:
    """Touches through the browser's own input, so that it scrolls and cancels as for a person."""

    def __init__(self, page, pane: str) -> None:
        self.page = page
        self.send = page.context.new_cdp_session(page).send
        canvas = page.locator(f"{pane} canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        self.centre = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def move(self, *paths: tuple[tuple[float, float], tuple[float, float]]) -> None:
        """Move one finger a path, from and to places given from the pane's centre."""
        for step in range(9):
            points = [
                {
                    "x": self.centre[0] + x0 + (x1 - x0) * step / 8,
                    "y": self.centre[1] + y0 + (y1 - y0) * step / 8,
                    "id": number,
                }
                for number, ((x0, y0), (x1, y1)) in enumerate(paths)
            ]
            kind = "touchStart" if step == 0 else "touchMove"
            self.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        self.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        drawn_again(self.page)


def zoom(page) -> float:
    return float(re.search(r"zoom ([\d.]+)", page.inner_text(".pn-image .pn-legend"))[1])


def test_a_pinch_zooms_both_pictures_and_fingers_then_move_them(phone):
    resting = pixels(phone, ".pn-image")["sum"]
    map_on(phone)
    phone.locator("[data-tool=map]").tap()
    fingers = Fingers(phone, ".pn-image")
    fingers.move(((-20, 0), (-60, 0)), ((20, 0), (60, 0)))
    assert zoom(phone) == pytest.approx(3, abs=0.3)
    enlarged = pixels(phone, ".pn-image")["sum"]
    assert enlarged == pixels(phone, ".pn-map")["sum"] != resting
    fingers = Fingers(phone, ".pn-map")
    before = phone.evaluate("() => window.scrollY")
    fingers.move(((0, 0), (30, 40)))
    moved = pixels(phone, ".pn-image")["sum"]
    assert moved == pixels(phone, ".pn-map")["sum"] != enlarged
    assert phone.evaluate("() => window.scrollY") == before and zoom(phone) > 2
    assert "0–255" in phone.inner_text(".pn-image .pn-legend"), "the window stays as it was"
    fingers.move(((-60, 0), (-15, 0)), ((60, 0), (15, 0)))
    assert zoom(phone) == 1
    assert pixels(phone, ".pn-image")["sum"] == resting, "at rest the image stands where it stood"


def test_a_finger_scrolls_the_page_past_pictures_at_rest(phone):
    parts = (".pn-panes", ".pn-answer", ".pn-controls", ".pn-examples")
    tops = [phone.locator(part).bounding_box()["y"] for part in parts]
    assert tops == sorted(tops)
    assert phone.evaluate("() => document.documentElement.scrollWidth") <= 390
    before = pixels(phone, ".pn-image")["sum"]
    Fingers(phone, ".pn-image").move(((0, 40), (0, -160)))
    phone.wait_for_function("() => window.scrollY > 20")
    assert pixels(phone, ".pn-image")["sum"] == before
