"""Pictures that are no chest films, drawn by the project: documents, screenshots, noise."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from pneumo.imaging.opacity import clouds

Drawer = Callable[[np.random.Generator, int], np.ndarray]
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_PLAIN)
_LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))


def drawn(kind: str, seed: int, size: int = 320) -> np.ndarray:
    """Draws one picture of a kind of `DRAWERS`; the same arguments give the same picture.

    Returns:
        uint8, size x size.
    """
    rng = np.random.default_rng([0x6A4D, list(DRAWERS).index(kind), seed])
    return np.ascontiguousarray(np.clip(DRAWERS[kind](rng, size), 0, 255).astype(np.uint8))


def _words(rng: np.random.Generator, count: int) -> str:
    return " ".join("".join(rng.choice(_LETTERS, rng.integers(2, 10))) for _ in range(count))


def _write(
    page: np.ndarray, rng: np.random.Generator, box: tuple[int, int, int, int], ink: int
) -> None:
    """Fills a box (left, top, right, bottom) with lines of words."""
    left, top, right, bottom = box
    scale, font = rng.uniform(0.25, 0.6), _FONTS[rng.integers(len(_FONTS))]
    step = max(7, int(34 * scale))
    for y in range(top + step, bottom, step):
        end = int(left + (right - left) * rng.uniform(0.5, 1.0))
        line = np.full((step, max(1, end - left)), 255, np.uint8)
        cv2.putText(line, _words(rng, 12), (0, int(step * 0.75)), font, scale, 0, 1, cv2.LINE_AA)
        place = page[y - step : y, left:end]
        shade = line[: place.shape[0], : place.shape[1]].astype(np.float32) / 255
        place[:] = place * shade + ink * (1 - shade)


def _document(rng: np.random.Generator, size: int) -> np.ndarray:
    page = np.full((size, size), float(rng.integers(215, 256)), np.float32)
    margin = int(size * rng.uniform(0.04, 0.14))
    columns = int(rng.integers(1, 3))
    width = (size - margin * (columns + 1)) // columns
    for column in range(columns):
        left = margin + column * (width + margin)
        _write(page, rng, (left, margin, left + width, size - margin), int(rng.integers(0, 90)))
    if rng.random() < 0.4:
        top, left = rng.integers(0, size // 2, 2)
        page[top : top + size // 3, left : left + size // 3] = rng.integers(60, 200)
    if rng.random() < 0.3:  # a page that was photographed lies unevenly in the light
        page *= 1 - 0.35 * np.linspace(0, rng.random(), size, dtype=np.float32)[:, None]
    return page


def _screenshot(rng: np.random.Generator, size: int) -> np.ndarray:
    dark = rng.random() < 0.5
    screen = np.full((size, size), float(rng.integers(15, 50) if dark else 235), np.float32)
    ink = 220 if dark else 30
    for _ in range(rng.integers(3, 9)):
        x, y = rng.integers(0, int(size * 0.8), 2)
        w, h = rng.integers(size // 8, size // 2, 2)
        cv2.rectangle(
            screen,
            (int(x), int(y)),
            (int(x + w), int(y + h)),
            float(rng.integers(0, 256)),
            -1 if rng.random() < 0.7 else 1,
        )
        if rng.random() < 0.7:
            box = (int(x) + 3, int(y) + 3, min(size, int(x + w)), min(size, int(y + h)))
            _write(screen, rng, box, ink)
    screen[: size // 16] = rng.integers(0, 256)
    return screen


def _chart(rng: np.random.Generator, size: int) -> np.ndarray:
    page = np.full((size, size), 250.0, np.float32)
    low, high = int(size * 0.12), int(size * 0.9)
    cv2.line(page, (low, high), (high, high), 20, 1)
    cv2.line(page, (low, low), (low, high), 20, 1)
    xs = np.linspace(low, high, int(rng.integers(6, 40)))
    for _ in range(rng.integers(1, 4)):
        walk = rng.random() + 0.1 * rng.standard_normal(len(xs)).cumsum()
        ys = high - (high - low) * np.clip(walk, 0, 1)
        grey = float(rng.integers(0, 180))
        if rng.random() < 0.5:
            points = np.stack([xs, ys], 1).astype(np.int32)
            cv2.polylines(page, [points], False, grey, 2, cv2.LINE_AA)
        else:
            bar = (xs[1] - xs[0]) * 0.35
            for x, y in zip(xs, ys, strict=True):
                cv2.rectangle(page, (int(x - bar), int(y)), (int(x + bar), high), grey, -1)
    _write(page, rng, (low, 2, high, low - 4), 30)
    return page if rng.random() < 0.7 else 255 - page


def _noise(rng: np.random.Generator, size: int) -> np.ndarray:
    grain = int(rng.choice([1, 2, 4, 8]))
    side = -(-size // grain)
    values = rng.normal(128, rng.uniform(15, 90), (side, side)).astype(np.float32)
    how = cv2.INTER_NEAREST if rng.random() < 0.5 else cv2.INTER_LINEAR
    return cv2.resize(values, (size, size), interpolation=how)


def _gradient(rng: np.random.Generator, size: int) -> np.ndarray:
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]
    if rng.random() < 0.4:
        x, y = rng.uniform(-0.6, 0.6, 2)
        ramp = np.hypot(axis[None, :] - x, axis[:, None] - y)
    return 128 + 127 * rng.uniform(0.3, 1) * ramp + rng.normal(0, 2, (size, size))


def _blank(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.full((size, size), float(rng.integers(0, 256))) + rng.normal(0, 1.5, (size, size))


def _shapes(rng: np.random.Generator, size: int) -> np.ndarray:
    page = np.full((size, size), float(rng.integers(0, 256)), np.float32)
    for _ in range(rng.integers(2, 14)):
        centre = tuple(int(v) for v in rng.integers(0, size, 2))
        grey = float(rng.integers(0, 256))
        if rng.random() < 0.5:
            axes = tuple(int(v) for v in rng.integers(size // 20, size // 3, 2))
            angle = float(rng.uniform(0, 180))
            cv2.ellipse(page, centre, axes, angle, 0, 360, grey, -1, cv2.LINE_AA)
        else:
            away = rng.integers(-size // 3, size // 3, (rng.integers(3, 6), 2))
            corners = np.array(centre) + away
            cv2.fillPoly(page, [corners.astype(np.int32)], grey, cv2.LINE_AA)
    return cv2.GaussianBlur(page, (0, 0), rng.uniform(0.5, 6))


def _texture(rng: np.random.Generator, size: int) -> np.ndarray:
    cloud = clouds(rng, size, coarsest=int(rng.choice([2, 3, 5, 9, 17])), octaves=5)
    return 128 + rng.uniform(25, 70) * cloud


def _scan(rng: np.random.Generator, size: int) -> np.ndarray:
    """A round bright rim with organs inside on black, as a slice of a body looks."""
    page = np.zeros((size, size), np.float32)
    middle, reach = size // 2, size * rng.uniform(0.28, 0.46)
    flat = rng.uniform(0.6, 1.0)
    angle = float(rng.uniform(0, 180))

    def blob(share: float, at: tuple[float, float], grey: float) -> None:
        centre = (int(middle + at[0] * reach), int(middle + at[1] * reach * flat))
        axes = (max(1, int(share * reach)), max(1, int(share * reach * flat)))
        cv2.ellipse(page, centre, axes, angle, 0, 360, grey, -1, cv2.LINE_AA)

    blob(1.0, (0, 0), rng.uniform(120, 255))
    blob(rng.uniform(0.8, 0.95), (0, 0), rng.uniform(40, 160))
    for _ in range(rng.integers(2, 9)):
        blob(rng.uniform(0.08, 0.4), tuple(rng.uniform(-0.55, 0.55, 2)), rng.uniform(0, 255))
    page += 12 * clouds(rng, size, coarsest=12, octaves=4) * (page > 0)
    return cv2.GaussianBlur(page, (0, 0), rng.uniform(0.6, 2.5))


DRAWERS: dict[str, Drawer] = {
    "document": _document,
    "screenshot": _screenshot,
    "chart": _chart,
    "noise": _noise,
    "gradient": _gradient,
    "blank": _blank,
    "shapes": _shapes,
    "texture": _texture,
    "drawn slice": _scan,
}
