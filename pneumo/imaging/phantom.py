"""Draws chest phantoms: radiographs like a child's, of nobody, with an opacity of known place.

    pixels, opacity = phantom(7, opacity="right")

Needs no data: attenuations of the drawn parts are added up along the beam and turned into grey by
one tone curve. The same arguments always give the same picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from pneumo.imaging import anatomy
from pneumo.imaging.anatomy import Anatomy
from pneumo.imaging.opacity import blurred, clouds, tone

SMALLEST = 32
_COARSEST = 256  # the thinnest lines need this; smaller phantoms are shrunk
AIR = 0.80  # attenuation that a full lung takes away
_SIDES = {"right": -1, "left": 1}


@dataclass(frozen=True)
class Opacity:
    """A round consolidation whose place is known.

    Attributes:
        x, y: its centre, in fractions of the picture's width and height.
        radius: where it has faded to about a third, in fractions of the picture's width.
        side: the patient's side, "right" (the picture's left) or "left".
        strength: how much air it replaces at its centre, 0..1.
    """

    x: float
    y: float
    radius: float
    side: str
    strength: float = 0.9

    def __post_init__(self) -> None:
        if self.side not in _SIDES:
            raise ValueError(f"An opacity's side is 'right' or 'left', not {self.side!r}.")
        if not (0 <= self.x <= 1 and 0 <= self.y <= 1 and 0 < self.radius <= 0.5):
            raise ValueError("An opacity's place and radius are fractions of the picture.")


def phantom(
    seed: int, size: int = 512, opacity: Opacity | str | None = None
) -> tuple[np.ndarray, Opacity | None]:
    """Draws a chest radiograph of nobody.

    Args:
        seed: decides anatomy, exposure, marker and grain; an opacity changes none of them.
        size: side of the square picture in pixels, at least `SMALLEST`.
        opacity: where to put a consolidation, or "right" / "left" for a place of the seed's choice
            in that lung of the patient, or None for clear lungs.

    Returns:
        The picture (uint8, size x size, bones bright) and the opacity drawn, None if there is none.

    Raises:
        ValueError: for a size below `SMALLEST` or an unknown side.
    """
    if size < SMALLEST:
        raise ValueError(f"A phantom has at least {SMALLEST} pixels a side, not {size}.")
    rng = np.random.default_rng([0x0C4E57, seed])
    child = Anatomy.drawn_from(rng)
    exposure = rng.uniform(0.88, 1.14)
    canvas = max(size, _COARSEST)
    if isinstance(opacity, str):
        opacity = place_opacity(child, opacity, np.random.default_rng([0x0FAC17, seed]))
    fluid = None if opacity is None else opacity_map(opacity, canvas, seed)
    image = tone(attenuation(child, canvas, rng, fluid) * exposure)
    image = collimated(image, rng)
    stamp(image, "R", (rng.uniform(0.035, 0.06), rng.uniform(0.10, 0.55)), 0.055)
    image = with_grain(image, rng)
    if canvas != size:
        image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    return to_uint8(image), opacity


def place_opacity(child: Anatomy, side: str, rng: np.random.Generator) -> Opacity:
    """Chooses a place well inside one lung, clear of the heart.

    Raises:
        ValueError: if `side` is neither "right" nor "left".
    """
    if side not in _SIDES:
        raise ValueError(f"An opacity's side is 'right' or 'left', not {side!r}.")
    v = rng.uniform(0.28, 0.80)
    u = rng.uniform(0.52, 0.68) if side == "right" else rng.uniform(0.62, 0.74)
    x, y = child.place((u, v), _SIDES[side])[0]
    radius = rng.uniform(0.26, 0.36) * (child.width_right + child.width_left) / 2
    return Opacity(round(float(x), 4), round(float(y), 4), round(float(radius), 4), side)


def opacity_map(opacity: Opacity, size: int, seed: int) -> np.ndarray:
    """How much air an opacity replaces: a ragged, patchy cloud around its centre.

    Returns:
        float32 array, size x size, 0..`opacity.strength`.
    """
    rng = np.random.default_rng([0x0C10D5, seed])
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    ragged = clouds(rng, size, coarsest=9, octaves=4)
    patchy = clouds(rng, size, coarsest=24, octaves=3)
    distance = np.hypot(axis[None, :] - opacity.x, axis[:, None] - opacity.y) / opacity.radius
    cloud = np.exp(-(np.clip(distance + 0.16 * ragged, 0.0, None) ** 2.6))
    return opacity.strength * cloud * np.clip(0.86 + 0.11 * patchy, 0.0, 1.0)


def stamp(image: np.ndarray, text: str, place: tuple[float, float], height: float) -> None:
    """Burns white letters into an image (float32, 0..1, changed in place).

    Args:
        image: square picture.
        text: letters of the ASCII range.
        place: left end of the base line, fractions of the picture.
        height: of a capital, as a fraction of the picture.
    """
    size = len(image)
    scale = height * size / 21.0
    thick = max(1, round(scale * 1.9))
    letters = np.zeros((size, size), np.uint8)
    at = (round(place[0] * size), round(place[1] * size))
    cv2.putText(letters, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thick, cv2.LINE_AA)
    mask = letters.astype(np.float32) / 255.0
    image += mask * (0.96 - image)


def with_grain(image: np.ndarray, rng: np.random.Generator, amount: float = 0.009) -> np.ndarray:
    """Adds quantum noise (standard deviation `amount` of the full range), finer than any anatomy.

    Args:
        image: float32, square, 0..1.

    Returns:
        A new float32 array.
    """
    noise = blurred(rng.standard_normal(image.shape).astype(np.float32), 0.6)
    return image + amount * noise / float(noise.std()) * (0.35 + image)


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Rounds an image of 0..1 to uint8."""
    return np.clip(np.rint(image * 255.0), 0, 255).astype(np.uint8)


def attenuation(
    child: Anatomy,
    size: int,
    rng: np.random.Generator | None = None,
    opacity: np.ndarray | None = None,
) -> np.ndarray:
    """Adds up what weakens the beam on its way through a child.

    Args:
        child: where things lie.
        size: side of the square map in pixels.
        rng: draws vessels and the unevenness of soft tissue; None leaves both out.
        opacity: share of the air replaced by fluid, `opacity_map`, or None.

    Returns:
        float32 array, size x size: 0 in free air, about 1 for the trunk's soft tissue.
    """
    inside = anatomy.body(child, size)
    air = lung_air(child, size)
    if opacity is not None:
        air = air * (1.0 - opacity)
    total = inside + 0.26 * anatomy.heart(child, size) * inside
    total += 0.42 * anatomy.abdomen(child, size) * inside
    total -= AIR * air + 0.16 * anatomy.airway(child, size)
    for side in (-1, 1):
        total += 0.24 * anatomy.ribs(child, side, size) * inside
        if rng is not None:
            drawn = np.minimum(anatomy.vessels(child, side, size, rng), 1.0)
            total += 0.21 * drawn * anatomy.lung(child, side, size) * (0.4 + 0.6 * air)
    total += 0.44 * (anatomy.spine(child, size) + anatomy.shoulders(child, size)) * inside
    if rng is not None:
        total += 0.020 * clouds(rng, size, coarsest=6, octaves=6) * inside
    return np.clip(blurred(total, 0.0010 * size), 0.0, None)


def lung_air(child: Anatomy, size: int) -> np.ndarray:
    """Air along the beam: 1 in the lungs, little where the heart lies before them, 0 elsewhere."""
    lungs = anatomy.lung(child, -1, size) + anatomy.lung(child, 1, size)
    inner = blurred(np.minimum(lungs, 1.0), 0.030 * size)
    depth = np.minimum(lungs, 1.0) * np.clip(2.0 * inner - 1.0, 0.0, 1.0) ** 0.35
    return depth * (1.0 - 0.80 * anatomy.heart(child, size))


def collimated(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Darkens a narrow border, as the diaphragm of the tube does, on the sides the seed chooses."""
    size = len(image)
    rows = np.ones(size, np.float32)
    columns = np.ones(size, np.float32)
    for edge in (rows, rows[::-1], columns, columns[::-1]):
        if rng.random() < 0.4:
            edge[: math.ceil(rng.uniform(0.004, 0.02) * size)] = 0.06
    return image * blurred(rows[:, None] * columns[None, :], 0.0015 * size)
