"""Images that are no ordinary chest radiograph: drawn, made of radiographs, or changed copies.

The input check is fitted on them and measured with them. Every function takes a random generator
that decides what its name leaves open, and gives the same image for the same generator.
"""

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np

from pneumo.data import transforms
from pneumo.imaging.opacity import clouds

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_PLAIN)
_CHARACTERS = np.array(list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))


def drawn(kind: str, seed: int, side: int = 320) -> np.ndarray:
    """An image of a kind of `DRAWN`: uint8, (side, side)."""
    rng = transforms.generator(0x6A4D, list(DRAWN).index(kind), seed)
    return np.clip(DRAWN[kind](rng, side), 0, 255).astype(np.uint8)


def _words(rng: np.random.Generator, count: int) -> str:
    return " ".join("".join(rng.choice(_CHARACTERS, rng.integers(2, 10))) for _ in range(count))


def _write(
    page: np.ndarray, rng: np.random.Generator, box: tuple[int, int, int, int], ink: int
) -> None:
    """Fill a box (left, top, right, bottom) of a page with lines of words."""
    left, top, right, bottom = box
    scale, font = rng.uniform(0.25, 0.6), _FONTS[rng.integers(len(_FONTS))]
    step = max(7, int(34 * scale))
    for y in range(top + step, bottom, step):
        end = int(left + (right - left) * rng.uniform(0.5, 1))
        line = np.ascontiguousarray(page[y - step : y + step // 4, left:end])
        cv2.putText(line, _words(rng, 12), (0, step), font, scale, ink, 1, cv2.LINE_AA)
        page[y - step : y + step // 4, left:end] = line


def _document(rng: np.random.Generator, side: int) -> np.ndarray:
    page = np.full((side, side), rng.integers(215, 256), np.uint8)
    margin, columns = int(side * rng.uniform(0.04, 0.14)), int(rng.integers(1, 3))
    width = (side - margin * (columns + 1)) // columns
    for column in range(columns):
        left = margin + column * (width + margin)
        _write(page, rng, (left, margin, left + width, side - margin), int(rng.integers(0, 90)))
    if rng.random() < 0.4:  # with a picture
        top, left = rng.integers(0, side // 2, 2)
        page[top : top + side // 3, left : left + side // 3] = rng.integers(60, 200)
    if rng.random() < 0.3:  # photographed, so that it lies unevenly in the light
        return page * (1 - 0.35 * np.linspace(0, rng.random(), side)[:, None])
    return page


def _screenshot(rng: np.random.Generator, side: int) -> np.ndarray:
    dark = rng.random() < 0.5
    screen = np.full((side, side), rng.integers(15, 50) if dark else 235, np.uint8)
    for _ in range(rng.integers(3, 9)):
        x, y = (int(v) for v in rng.integers(0, int(side * 0.8), 2))
        w, h = (int(v) for v in rng.integers(side // 8, side // 2, 2))
        thickness = -1 if rng.random() < 0.7 else 1
        cv2.rectangle(screen, (x, y), (x + w, y + h), int(rng.integers(0, 256)), thickness)
        if rng.random() < 0.7:
            box = (x + 3, y + 3, min(side, x + w), min(side, y + h))
            _write(screen, rng, box, 220 if dark else 30)
    screen[: side // 16] = rng.integers(0, 256)
    return screen


def _chart(rng: np.random.Generator, side: int) -> np.ndarray:
    page = np.full((side, side), 250, np.uint8)
    low, high = int(side * 0.12), int(side * 0.9)
    cv2.line(page, (low, high), (high, high), 20, 1)
    cv2.line(page, (low, low), (low, high), 20, 1)
    xs = np.linspace(low, high, int(rng.integers(6, 40)))
    for _ in range(rng.integers(1, 4)):
        walk = rng.random() + 0.1 * rng.standard_normal(len(xs)).cumsum()
        ys = high - (high - low) * np.clip(walk, 0, 1)
        grey = int(rng.integers(0, 180))
        if rng.random() < 0.5:
            points = np.stack([xs, ys], 1).astype(np.int32)
            cv2.polylines(page, [points], False, grey, 2, cv2.LINE_AA)
        else:
            bar = (xs[1] - xs[0]) * 0.35
            for x, y in zip(xs, ys, strict=True):
                cv2.rectangle(page, (int(x - bar), int(y)), (int(x + bar), high), grey, -1)
    _write(page, rng, (low, 2, high, low - 4), 30)
    return page if rng.random() < 0.7 else 255 - page


def _noise(rng: np.random.Generator, side: int) -> np.ndarray:
    cells = -(-side // int(rng.choice([1, 2, 4, 8])))
    values = rng.normal(128, rng.uniform(15, 90), (cells, cells)).astype(np.float32)
    how = cv2.INTER_NEAREST if rng.random() < 0.5 else cv2.INTER_LINEAR
    return cv2.resize(values, (side, side), interpolation=how)


def _gradient(rng: np.random.Generator, side: int) -> np.ndarray:
    axis, angle = np.linspace(-1, 1, side), rng.uniform(0, 2 * np.pi)
    ramp = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]
    if rng.random() < 0.4:
        x, y = rng.uniform(-0.6, 0.6, 2)
        ramp = np.hypot(axis[None, :] - x, axis[:, None] - y)
    return 128 + 127 * rng.uniform(0.3, 1) * ramp + rng.normal(0, 2, (side, side))


def _blank(rng: np.random.Generator, side: int) -> np.ndarray:
    return np.full((side, side), float(rng.integers(0, 256))) + rng.normal(0, 1.5, (side, side))


def _shapes(rng: np.random.Generator, side: int) -> np.ndarray:
    page = np.full((side, side), float(rng.integers(0, 256)), np.float32)
    for _ in range(rng.integers(2, 14)):
        x, y = (int(v) for v in rng.integers(0, side, 2))
        grey = float(rng.integers(0, 256))
        if rng.random() < 0.5:
            a, b = (int(v) for v in rng.integers(side // 20, side // 3, 2))
            angle = float(rng.uniform(0, 180))
            cv2.ellipse(page, (x, y), (a, b), angle, 0, 360, grey, -1, cv2.LINE_AA)
        else:
            corners = rng.integers(-side // 3, side // 3, (rng.integers(3, 6), 2))
            corners += np.array((x, y))
            cv2.fillPoly(page, [corners.astype(np.int32)], grey, cv2.LINE_AA)
    return cv2.GaussianBlur(page, (0, 0), rng.uniform(0.5, 6))


def _texture(rng: np.random.Generator, side: int) -> np.ndarray:
    coarsest = int(rng.choice([2, 3, 5, 9, 17]))
    return 128 + rng.uniform(25, 70) * clouds(rng, side, coarsest, octaves=5)


def _symmetric_texture(rng: np.random.Generator, side: int) -> np.ndarray:
    page = _texture(rng, side)
    return (page + page[:, ::-1]) / 1.4 - 55


def _slice(rng: np.random.Generator, side: int) -> np.ndarray:
    """A bright rim with organs inside on black, as a slice of a body looks."""
    page = np.zeros((side, side), np.float32)
    middle, reach, flat = side // 2, side * rng.uniform(0.28, 0.46), rng.uniform(0.6, 1.0)
    angle = float(rng.uniform(0, 180))

    def organ(share: float, x: float, y: float, grey: float) -> None:
        center = (int(middle + x * reach), int(middle + y * reach * flat))
        axes = (max(1, int(share * reach)), max(1, int(share * reach * flat)))
        cv2.ellipse(page, center, axes, angle, 0, 360, grey, -1, cv2.LINE_AA)

    organ(1.0, 0, 0, rng.uniform(120, 255))
    organ(rng.uniform(0.8, 0.95), 0, 0, rng.uniform(40, 160))
    for _ in range(rng.integers(2, 9)):
        share, (x, y) = rng.uniform(0.08, 0.4), rng.uniform(-0.55, 0.55, 2)
        organ(share, x, y, rng.uniform(0, 255))
    page += 12 * clouds(rng, side, coarsest=12, octaves=4) * (page > 0)
    return cv2.GaussianBlur(page, (0, 0), rng.uniform(0.6, 2.5))


def _bones(rng: np.random.Generator, side: int) -> np.ndarray:
    """Long bones in soft tissue on black, as limbs look."""
    page = np.full((side, side), rng.uniform(0, 40), np.float32)
    for _ in range(rng.integers(1, 7)):
        start = rng.uniform(0, side, 2)
        end = start + rng.uniform(-0.8, 0.8, 2) * side
        width, grey = rng.uniform(0.04, 0.2) * side, rng.uniform(120, 255)
        ends = [(int(x), int(y)) for x, y in (start, end)]
        for share, bright in ((2.2, 0.5), (1, 1), (0.5, 0.75)):  # tissue, cortex, marrow
            thickness = max(1, int(share * width))
            cv2.line(page, ends[0], ends[1], float(bright * grey), thickness, cv2.LINE_AA)
        for point in ends:
            cv2.circle(page, point, int(0.7 * width), float(grey), -1, cv2.LINE_AA)
    return cv2.GaussianBlur(page, (0, 0), rng.uniform(0.8, 4))


def _table(rng: np.random.Generator, side: int) -> np.ndarray:
    """Ruled rows and columns with words and grey cells, as a form or a spreadsheet looks."""
    page = np.full((side, side), rng.integers(215, 256), np.uint8)
    left, top, right, bottom = rng.uniform((0.02, 0.02, 0.75, 0.6), (0.2, 0.3, 0.98, 0.98)) * side
    xs = np.linspace(left, right, int(rng.integers(2, 8))).astype(int).tolist()
    ys = np.linspace(top, bottom, int(rng.integers(4, 18))).astype(int).tolist()
    ink, grey, shaded = (int(rng.integers(*ends)) for ends in ((0, 120), (100, 240), (0, 3)))
    for row, (y, below) in enumerate(pairwise(ys)):
        for x, beyond in pairwise(xs):
            if (shaded == 1 and row == 0) or (shaded == 2 and row % 2):
                cv2.rectangle(page, (x, y), (beyond, below), grey, -1)
            cv2.rectangle(page, (x, y), (beyond, below), ink, 1)
            _write(page, rng, (x + 2, y + 1, beyond, below), ink)
    return page if rng.random() < 0.7 else 255 - page


def _sketch(rng: np.random.Generator, side: int) -> np.ndarray:
    """Smooth lines of a pen on paper."""
    page = np.full((side, side), rng.integers(200, 256), np.uint8)
    for _ in range(rng.integers(3, 25)):
        steps = rng.normal(0, side / 90, (60, 2)).cumsum(0).cumsum(0) / 12
        points = (rng.uniform(0, side, 2) + steps).astype(np.int32)
        ink, width = int(rng.integers(0, 150)), int(rng.integers(1, 6))
        cv2.polylines(page, [points], rng.random() < 0.3, ink, width, cv2.LINE_AA)
    return page if rng.random() < 0.7 else 255 - page


def _stripes(rng: np.random.Generator, side: int) -> np.ndarray:
    """Parallel bars, straight or fanned, as fences, blinds, keyboards and bar codes look."""
    y, x = np.indices((side, side), np.float32) / side - rng.uniform(0.2, 0.8, (2, 1, 1))
    angle = rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)])
    across, along = np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y
    phase = rng.uniform(3, 25) * across * (1 + rng.choice([0, 1]) * along)
    bars = phase % 1 < rng.uniform(0.2, 0.8)
    bars = bars & (np.abs(along) < rng.uniform(0.2, 1.2))
    low, high = np.sort(rng.uniform(0, 255, 2))
    page = np.where(bars, high, low).astype(np.float32)
    return cv2.GaussianBlur(page, (0, 0), rng.uniform(0.4, 3))


DRAWN: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "document": _document,
    "screenshot": _screenshot,
    "chart": _chart,
    "noise": _noise,
    "gradient": _gradient,
    "blank": _blank,
    "shapes": _shapes,
    "texture": _texture,
    "symmetric texture": _symmetric_texture,
    "drawn slice": _slice,
    "drawn bones": _bones,
    "table": _table,
    "sketch": _sketch,
    "stripes": _stripes,
}


def _window(square: np.ndarray, rng: np.random.Generator, least: float, most: float) -> np.ndarray:
    """A random part of a square, of these shares of its sides, enlarged to the whole."""
    side = len(square)
    width, height = (int(side * share) for share in rng.uniform(least, most, 2))
    left, top = rng.integers(0, side - width + 1), rng.integers(0, side - height + 1)
    part = square[top : top + height, left : left + width]
    return cv2.resize(part, (side, side), interpolation=cv2.INTER_LINEAR)


def _shuffled(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cut into 4 to 16 tiles that change places."""
    count = int(rng.integers(2, 5))
    tile = len(square) // count
    grid = square[: count * tile, : count * tile].reshape(count, tile, count, tile)
    tiles = grid.swapaxes(1, 2).reshape(-1, tile, tile)
    order = np.roll(rng.permutation(count * count), 1)
    if (order == np.arange(len(order))).mean() > 0.3:
        order = np.roll(np.arange(len(order)), 1)
    grid = tiles[order].reshape(count, count, tile, tile).swapaxes(1, 2)
    shuffled = grid.reshape(count * tile, count * tile)
    return cv2.resize(shuffled, square.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _detail(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A window of 15 to 35 % of each side."""
    return _window(square, rng, 0.15, 0.35)


def _swirled(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    side = len(square)
    y, x = np.indices(square.shape, np.float32) - side / 2
    angle = rng.choice([-1, 1]) * rng.uniform(3, 7) * np.exp(-4 * np.hypot(x, y) / side)
    across = (np.cos(angle) * x - np.sin(angle) * y + side / 2).astype(np.float32)
    down = (np.sin(angle) * x + np.cos(angle) * y + side / 2).astype(np.float32)
    return cv2.remap(square, across, down, cv2.INTER_LINEAR)


def _random_phases(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The strength of every spatial frequency is kept, its place is not."""
    random = np.fft.rfft2(rng.standard_normal(square.shape))
    spectrum = np.abs(np.fft.rfft2(square)) * random / np.abs(random)
    return np.clip(np.fft.irfft2(spectrum, square.shape), 0, 255).astype(np.uint8)


# Of a chest radiograph, uint8 (S, S), something of the same size that is none.
MADE: dict[str, Change] = {
    "shuffled radiograph": _shuffled,
    "detail of a radiograph": _detail,
    "swirled radiograph": _swirled,
    "radiograph with random phases": _random_phases,
}


def varied(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another view of an image that is no radiograph: turned, cropped, inverted, degraded."""
    square = np.ascontiguousarray(np.rot90(square, int(rng.integers(4))))
    if rng.random() < 0.5:
        square = _window(square, rng, 0.4, 0.8)
    square = 255 - square if rng.random() < 0.2 else square
    return transforms.degrade(transforms.expose(square, rng, 0.3), rng, 0.4)


def reframed(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A radiograph framed, exposed, marked and stored in another way; still an ordinary one."""
    side = len(square)
    if rng.random() < 0.35:
        top, bottom, left, right = rng.integers(0, side // 8, 4) * (rng.random(4) < 0.6)
        square = np.pad(square, ((top, bottom), (left, right)))
        square = cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:  # on either side, so that a marker does not tell left from right
        square = square.copy()
        x = rng.uniform(0, 0.2)
        x, y = x if rng.random() < 0.5 else 0.93 - x, rng.uniform(0.08, 0.46)
        size, thickness = side / 128 * rng.uniform(0.25, 0.6), int(rng.integers(1, 3))
        place, grey = (int(x * side), int(y * side)), int(rng.integers(190, 256))
        cv2.putText(square, str(rng.choice(list("RLPA"))), place, 0, size, grey, thickness, 16)
    kinder = transforms.Augmentation(0.72, 8, 4, flip=0, exposure=0.3, degrade=0.35)
    return transforms.augment(square, rng, kinder, side)[0]


def degraded(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A radiograph blurred, resampled, sharpened, noisy, compressed or exposed otherwise."""
    return transforms.degrade(transforms.expose(square, rng, 0.2), rng, 0.5)


def faint(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A radiograph with 12 to 50 % of its contrast; dark, as when 12 bits are shown as 16."""
    if rng.random() < 0.5:
        return (square * rng.uniform(0.12, 0.35)).astype(np.uint8)
    share = rng.uniform(0.2, 0.5)
    return (square * share + rng.uniform(0, 255 * (1 - share))).astype(np.uint8)


def cropped(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A window of 45 to 65 % of each side, so that a good part of the chest is cut off."""
    return _window(square, rng, 0.45, 0.65)


def with_text(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An image with an invented name and date burned in at its upper or lower edge.

    Args:
        pixels: uint8, (H, W), with a short side of 300 pixels at least.
    """
    height, width = pixels.shape
    text = str(rng.choice(["DOE JANE 12.04.2019", "ID 0047712 SMITH A", "MUSTERMANN M 1999"]))
    tall = rng.uniform(0.02, 0.035) * height  # of a capital letter, pixels
    length = cv2.getTextSize(text, 0, tall / 22, 1)[0][0]
    x = int(rng.uniform(0.01, max(0.02, 0.99 - length / width)) * width)
    y = int(height * (rng.uniform(0.05, 0.1) if rng.random() < 0.5 else rng.uniform(0.92, 0.98)))
    page = pixels.copy()
    # Where it is bright already, black is what a viewer would write with.
    ink = 255 if pixels[y - int(tall) : y, x : x + length].mean() < 140 else 0
    cv2.putText(page, text, (x, y), 0, tall / 22, ink, max(1, round(tall / 11)), cv2.LINE_AA)
    return page
