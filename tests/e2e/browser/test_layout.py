"""Where things stand: in sight on a laptop, below each other on a tablet, larger in full screen."""

from __future__ import annotations

from tests.e2e.browser.hands import choose, drawn_again, settled

ON_TOP = "([x, y, part]) => Boolean(document.elementFromPoint(x, y)?.closest(part))"


def test_everything_is_in_sight_and_full_screen_gives_the_images_more_room(room):
    for model in ("cnn", "all"):
        choose(room, "model", model)
        settled(room)
        for width, height in ((1920, 1080), (1366, 768)):
            room.set_viewport_size({"width": width, "height": height})
            drawn_again(room)
            assert room.evaluate("scrollY") == 0
            foot = room.locator(".pn-disclaimer").bounding_box()["y"]
            for part in (".pn-panes", ".pn-toolbar", ".pn-answer", ".pn-controls", ".pn-examples"):
                box = room.locator(part).bounding_box()
                assert box["y"] >= 0 and box["y"] + box["height"] <= foot, (part, model, width)
            assert room.eval_on_selector(
                ".pn-side", "side => side.scrollHeight <= side.clientHeight"
            ), (model, width)
    before = room.locator(".pn-panes").bounding_box()
    room.keyboard.press("f")
    room.wait_for_selector(".pn-full")
    drawn_again(room)
    assert room.locator(".pn-panes").bounding_box()["height"] > before["height"] + 80
    assert room.locator(".pn-disclaimer").is_visible() and room.locator(".pn-controls").is_visible()
    assert not room.locator(".pn-examples").is_visible()
    room.keyboard.press("f")
    room.wait_for_selector(".pn-full", state="detached")
    drawn_again(room)
    assert room.locator(".pn-panes").bounding_box() == before


def test_on_a_tablet_three_images_keep_their_size_and_full_screen_can_be_scrolled(room):
    choose(room, "model", "all")
    settled(room)
    for width in (901, 1180):
        room.set_viewport_size({"width": width, "height": 768})
        drawn_again(room)
        canvases = [box.bounding_box() for box in room.locator(".pn-canvas").all()]
        assert len(canvases) == 3, width
        assert all(c["width"] > 0.3 * width - 12 and c["height"] > 200 for c in canvases), width
        stage = room.locator(".pn-stage").bounding_box()
        side = room.locator(".pn-side").bounding_box()
        assert side["y"] >= stage["y"] + stage["height"], width
        assert room.evaluate("document.documentElement.scrollWidth") <= width
    for width, height in ((1024, 768), (390, 844)):
        room.set_viewport_size({"width": width, "height": height})
        room.keyboard.press("f")
        room.wait_for_selector(".pn-full")
        drawn_again(room)
        for part in (".pn-toolbar", ".pn-answer", ".pn-controls"):
            room.locator(part).evaluate("part => part.scrollIntoView({block: 'center'})")
            box = room.locator(part).bounding_box()
            middle = [box["x"] + box["width"] / 2, box["y"] + min(box["height"] / 2, 40)]
            assert room.evaluate(ON_TOP, [*middle, part]), part
        room.keyboard.press("f")
        room.wait_for_selector(".pn-full", state="detached")
