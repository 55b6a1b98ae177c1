"""Gives a soft statistical radiograph the fine detail of a drawn one.

The statistical model knows what radiographs look like as a whole but blurs everything finer than
about 3 % of the picture. A drawn anatomy is laid over the sample until the two agree, and what is
finer than that is taken from the drawing: rib edges, vertebrae, vessels, the rims of heart and
diaphragm.
"""

from __future__ import annotations

from dataclasses import asdict

import cv2
import numpy as np

from pneumo.imaging.anatomy import Anatomy
from pneumo.imaging.opacity import blurred, thickness_of, tone
from pneumo.imaging.phantom import AIR, attenuation, lung_air
from pneumo.imaging.strokes import filled, smooth_curve

_FIT_SIZE = 80
_CROSSOVER = 0.024
# What a fit may change, how far: name, lowest, highest.
_FREE = (
    ("midline", 0.42, 0.58), ("apex", 0.08, 0.26), ("dome_right", 0.60, 0.86),
    ("dome_left", 0.60, 0.90), ("width_right", 0.26, 0.44), ("width_left", 0.26, 0.44),
    ("heart", 0.80, 1.30), ("rib_slope", 0.70, 1.40), ("rib_spacing", 0.102, 0.136),
    ("rib_offset", -0.06, 0.06), ("tilt", -0.06, 0.06), ("body", 0.85, 1.15),
)  # fmt: skip


def fitted_anatomy(
    radiograph: np.ndarray, rng: np.random.Generator, tries: int = 320
) -> tuple[Anatomy, float]:
    """Finds the drawn anatomy that agrees best with a radiograph.

    Args:
        radiograph: uint8, square.
        rng: draws the steps of the search.
        tries: drawings compared with the radiograph.

    Returns:
        The anatomy whose drawing agrees best with the radiograph, and their correlation, -1..1.
    """
    wanted = _comparable(thickness_of(_resized(radiograph, _FIT_SIZE) / 255.0))
    low = np.array([entry[1] for entry in _FREE])
    high = np.array([entry[2] for entry in _FREE])
    usual = asdict(Anatomy())
    best = np.array([usual[name] for name, _, _ in _FREE])
    best_score = _score(best, wanted)
    for turn in range(tries):
        step = 0.22 * (1.0 - turn / tries) + 0.015
        # A few parameters at a time: a step in all of them rarely helps.
        moved = rng.random(len(best)) < 0.35
        trial = best + moved * rng.normal(0.0, step, len(best)) * (high - low)
        trial = np.clip(trial, low, high)
        score = _score(trial, wanted)
        if score > best_score:
            best, best_score = trial, score
    return _anatomy(best), best_score


def sharpened(
    radiograph: np.ndarray,
    child: Anatomy,
    rng: np.random.Generator,
    size: int = 640,
    opacity: np.ndarray | None = None,
) -> np.ndarray:
    """Enlarges a soft radiograph and takes its fine detail from a drawing of the same anatomy.

    Args:
        radiograph: uint8, square; the statistical sample.
        child: the anatomy fitted to it.
        rng: draws vessels and texture.
        size: side of the result in pixels.
        opacity: share of the lungs' air to replace by fluid (`opacity_map` of that size), or None.

    Returns:
        float32 array, size x size, 0..1.
    """
    soft = thickness_of(_resized(radiograph, size) / 255.0)
    drawn = attenuation(child, size, rng, opacity)
    sigma = _CROSSOVER * size
    low, drawn_low = blurred(soft, sigma), blurred(drawn, sigma)
    chest = _chest(child, size)
    # Hazy lungs get paler detail: as much as the next coarser scale of the sample has.
    wide = 3.0 * sigma
    band, drawn_band = low - blurred(low, wide), (drawn_low - blurred(drawn_low, wide)) * chest
    gain = float((band * drawn_band).sum() / max(float((drawn_band**2).sum()), 1e-6))
    detail = float(np.clip(1.25 * gain, 0.55, 1.05)) * (drawn - drawn_low)
    result = low + 0.55 * chest * (soft - low) + chest * detail
    result += (1.0 - chest) * _inner(size) * (soft - low)
    if opacity is not None:
        result += blurred(AIR * lung_air(child, size) * opacity, sigma)
    return tone(result)


def _inner(size: int) -> np.ndarray:
    """0 along the picture's rim, where the sample holds ghosts of markers; 1 further in."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    ramp = np.clip(np.minimum(axis, 1.0 - axis) / 0.06 - 1.0, 0.0, 1.0)
    return ramp[:, None] * ramp[None, :]


def _chest(child: Anatomy, size: int) -> np.ndarray:
    """1 over the rib cage and the collar bones, falling to 0 where arms and head begin."""
    cage = [(0.0, -0.22), (0.55, -0.20), (0.85, 0.02), (1.02, 0.35), (1.07, 0.75),
            (1.09, 1.2), (1.1, 2.0), (0.0, 2.0)]  # fmt: skip
    halves = [filled(smooth_curve(child.place(cage, side)), size) for side in (-1, 1)]
    return blurred(np.maximum(*halves), 0.02 * size)


def _anatomy(values: np.ndarray) -> Anatomy:
    """An anatomy of the values of `_FREE`; its two sides differ no more than a child's do."""
    found = {name: float(v) for (name, _, _), v in zip(_FREE, values, strict=True)}
    lower, width = found["dome_right"], found["width_right"]
    found["dome_left"] = float(np.clip(found["dome_left"], lower - 0.01, lower + 0.045))
    found["width_left"] = float(np.clip(found["width_left"], 0.87 * width, 1.15 * width))
    return Anatomy(**found)


def _score(values: np.ndarray, wanted: np.ndarray) -> float:
    drawn = _comparable(attenuation(_anatomy(values), _FIT_SIZE))
    return float((drawn * wanted).sum())


def _comparable(thickness: np.ndarray) -> np.ndarray:
    """Takes slow changes of exposure away, weighs the chest over the corners; length 1."""
    size = len(thickness)
    axis = np.linspace(-1.0, 1.0, size, dtype=np.float32)
    window = np.exp(-((axis[None, :] / 0.85) ** 6) - (axis[:, None] / 0.92) ** 8)
    sharp = (blurred(thickness, 0.008 * size) - blurred(thickness, 0.14 * size)) * window
    return sharp / max(float(np.linalg.norm(sharp)), 1e-6)


def _resized(radiograph: np.ndarray, size: int) -> np.ndarray:
    way = cv2.INTER_AREA if size < len(radiograph) else cv2.INTER_CUBIC
    return np.clip(
        cv2.resize(radiograph.astype(np.float32), (size, size), interpolation=way), 0, 255
    )
