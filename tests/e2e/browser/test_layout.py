"""Where things stand: in sight on a laptop, larger in full screen."""

from tests.e2e.browser.hands import choose, drawn_again, settled


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
