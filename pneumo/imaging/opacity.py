"""Inserts an opacity of known place, size and density into a radiograph.

Added in attenuation, by the inverse of one tone curve, it keeps ribs visible, hides vessels and
never exceeds soft tissue, as a consolidation does; a patch pasted in grey would not.
"""

import cv2
import numpy as np

# Soft tissue of the trunk, the densest that a lung full of fluid becomes, as a percentile of the
# radiograph's attenuation.
_SOFT_TISSUE = 80
# The share of the opacity's peak that the mask's outline runs along.
_OUTLINE = 0.4
# Attenuation that a place must lack to soft tissue for the opacity to show (lungs lack 0.3 to 0.9).
_LEAST_AIR = 0.1


def insert_opacity(
    pixels: np.ndarray,
    center: tuple[float, float],
    radius: float,
    strength: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """A frontal radiograph, uint8 (H, W), with one consolidation, and where that can be seen, bool
    (H, W): nowhere if no air is left to replace, as before the heart.

    `center` (x, y) and `radius` (to the visible edge) are in pixels; `strength` is the share of
    the air replaced at the densest point, above 0 to 1; `rng` decides outline and texture.
    """
    height, width = pixels.shape
    x, y = center
    # Only the surroundings of the opacity are computed; the part outside the radiograph is cut.
    reach = int(np.ceil(2.2 * radius))
    left, top = round(x) - reach, round(y) - reach
    side = 2 * reach + 1
    rows = slice(max(top, 0), min(top + side, height))
    columns = slice(max(left, 0), min(left + side, width))
    density = _consolidation(rng, side, radius)[rows.start - top : rows.stop - top]
    density = density[:, columns.start - left : columns.stop - left]

    soft_tissue = float(np.percentile(thickness_of(pixels[::4, ::4] / 255.0), _SOFT_TISSUE))
    patch = pixels[rows, columns] / np.float32(255)
    thickness = thickness_of(patch)
    coarse = blurred(thickness, max(1.0, 0.08 * radius))
    air = np.maximum(soft_tissue - coarse, 0.0)
    filled = strength * density
    # Fluid around a vessel has its density: vessels vanish, the denser ribs stay.
    detail = (thickness - coarse) * (1.0 - 0.5 * filled)
    change = tone(coarse + filled * air + detail) - tone(thickness)
    changed = pixels.copy()
    changed[rows, columns] = np.clip(np.rint((patch + change) * 255.0), 0, 255)
    mask = np.zeros(pixels.shape, bool)
    mask[rows, columns] = (density >= _OUTLINE) & (blurred(air, 0.08 * radius) >= _LEAST_AIR)
    return changed, mask


def _consolidation(rng: np.random.Generator, side: int, radius: float) -> np.ndarray:
    """The share of the peak density around a center, float32 (side, side): overlapping foci."""
    axis = (np.arange(side, dtype=np.float32) - side // 2) / radius
    fraying = clouds(rng, side, coarsest=5, octaves=5)
    patches = clouds(rng, side, coarsest=9, octaves=4)
    total = np.zeros((side, side), np.float32)
    turn = rng.uniform(0.0, 2 * np.pi)
    flat, tilt = rng.uniform(0.75, 1.0), rng.uniform(0.0, np.pi)
    foci = int(rng.integers(3, 6))
    for number in range(foci):
        angle = turn + 2 * np.pi * number / foci + rng.normal(0.0, 0.3)
        apart = rng.uniform(0.25, 0.55)
        across, down = axis[None, :] - apart * np.cos(angle), axis[:, None] - apart * np.sin(angle)
        along = across * np.cos(tilt) + down * np.sin(tilt)
        beside = (down * np.cos(tilt) - across * np.sin(tilt)) / flat
        distance = np.hypot(along, beside) / rng.uniform(0.5, 0.8)
        frayed = np.maximum(distance + 0.14 * fraying, 0.0)
        total += rng.uniform(0.6, 1.0) * np.exp(-(frayed**2.6))
    # Overlapping foci saturate, as air can be replaced only once.
    density = (1.0 - np.exp(-1.6 * total)) * np.clip(0.88 + 0.10 * patches, 0.0, 1.0)
    edge = np.hypot(axis[None, :], axis[:, None])
    density *= np.clip((2.1 - edge) / 0.4, 0.0, 1.0)
    return density / max(float(density.max()), 1e-6)


def tone(thickness: np.ndarray) -> np.ndarray:
    """Grey (float32, 0 to 1) of an attenuation: steep in the lungs, flat where little passes."""
    grey = 1.0 - np.exp(-0.66 * np.maximum(thickness, 0.0) ** 1.25)
    return np.clip(0.02 + 1.20 * grey, 0.0, 1.0).astype(np.float32)


def thickness_of(grey: np.ndarray) -> np.ndarray:
    """The attenuation (float32) that `tone` turns into this grey; black is 0, white about 2.3."""
    opened = np.clip((grey - 0.02) / 1.20, 0.0, 0.82)
    return ((-np.log1p(-opened) / 0.66) ** 0.8).astype(np.float32)


def blurred(field: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur; `sigma` in pixels, nothing happens below a quarter of a pixel."""
    if sigma < 0.25:
        return field
    return cv2.GaussianBlur(field, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def clouds(rng: np.random.Generator, size: int, coarsest: int = 4, octaves: int = 4) -> np.ndarray:
    """Smooth noise, float32 (size, size), mean 0 and standard deviation 1; each octave has twice
    the cells along a side, from `coarsest` on, and 0.6 of the amplitude."""
    field = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        grid = rng.standard_normal((coarsest * 2**octave,) * 2).astype(np.float32)
        field += 0.6**octave * cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)
    return (field - field.mean()) / max(float(field.std()), 1e-6)
