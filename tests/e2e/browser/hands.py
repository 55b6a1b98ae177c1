"""What a person does with the page, for the browser tests."""

import base64

DROP = """([name, content]) => {
    const transfer = new DataTransfer();
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    transfer.items.add(new File([bytes], name));
    for (const type of ["dragenter", "dragover", "drop"])
        document.querySelector(".pn-stage").dispatchEvent(
            new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""

PIXELS = """(pane) => {
    const canvas = document.querySelector(pane + " canvas");
    const {width, height} = canvas;
    const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
    let coloured = 0, sum = 0;
    for (let i = 0; i < data.length; i += 4) {
        coloured += Math.abs(data[i] - data[i + 2]) > 12;
        sum = (sum * 31 + data[i] + 7 * data[i + 1] + 13 * data[i + 2]) % 1000000007;
    }
    return {width, height, sum, coloured: coloured / (width * height)};
}"""


def drop(page, content: bytes, name: str = "image") -> None:
    """Drop a file on the stage."""
    page.evaluate(DROP, [name, base64.b64encode(content).decode()])


def settled(page, state: str | None = "ready") -> None:
    """Wait until what was dropped last has been answered.

    Args:
        page: of the app.
        state: that it must come to; None for any but an error, where an image that the input check
            refuses is analyzed all the same.
    """
    page.wait_for_selector(".pn-room:not([data-state=busy], [data-state=empty])")
    if state is None and page.query_selector(".pn-room[data-state=refused]"):
        page.click(".pn-error button")
    page.wait_for_selector(f".pn-room[data-state={state or 'ready'}]")
    page.evaluate("() => new Promise((go) => requestAnimationFrame(() => setTimeout(go, 50)))")


def map_on(page) -> None:
    """Have the heatmap drawn; it is off where pneumonia is unlikely."""
    if page.get_attribute("[data-tool=map]", "aria-pressed") == "false":
        page.keyboard.press("h")
    drawn_again(page)


def drawn_again(page) -> None:
    """Wait until what was changed has been drawn."""
    page.evaluate("() => new Promise((go) => requestAnimationFrame(() => setTimeout(go, 60)))")


def pixels(page, pane: str) -> dict:
    """Size, checksum and share of coloured pixels of a pane: ".pn-image" or ".pn-map"."""
    return page.evaluate(PIXELS, pane)


def probability(page) -> float:
    """The probability on the screen."""
    return float(page.get_attribute("[data-probability]", "data-probability"))


def choose(page, name: str, value: str) -> None:
    """Choose one of a group: "model" or "policy"."""
    option = page.locator(f"input[name=pn-{name}][value={value}]")
    # Out from under the disclaimer, which always stands at the foot of the window.
    option.evaluate("(input) => input.scrollIntoView({block: 'center'})")
    option.check(force=True)


def decided(page, change) -> None:
    """Make a change of policy or prevalence, and wait for the server's words on it."""
    with page.expect_response("**/component_server**"):
        change()
    drawn_again(page)
