"""Gives a soft sample what a radiograph of a child has: crisp edges, lung texture, grain, a marker.

The model knows nothing finer than its data at 224 pixels, and averaging takes contrast from what
is fine. All is done in attenuation, where a rib adds the same over lung and over heart.
"""

import cv2
import numpy as np

from pneumo.imaging.opacity import blurred, clouds, thickness_of, tone

# Scale (share of the image's side) and how much of what is finer is added once more.
EDGES = ((0.006, 0.7), (0.02, 0.25))
TEXTURE, GRAIN = 0.016, 0.010


def sharpened(soft: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Restore the contrast of fine structures and add texture finer than the sample's.

    Args:
        soft: uint8, square; the statistical sample.
        rng: draws the texture.

    Returns:
        uint8, of the same shape.
    """
    size = len(soft)
    thickness = thickness_of(soft / 255.0)
    for scale, amount in EDGES:
        thickness = thickness + amount * (thickness - blurred(thickness, scale * size))
    texture = clouds(rng, size, coarsest=24, octaves=5)
    # Nothing is seen in free air.
    thickness += TEXTURE * texture * np.clip(2 * thickness, 0, 1)
    return _to_uint8(tone(thickness))


def without_ghosts(pixels: np.ndarray, lungs: np.ndarray) -> np.ndarray:
    """Blur what lies beside the chest, where a sample shows traces of many markers.

    Args:
        pixels: uint8, (S, S).
        lungs: uint8, (S, S), 0 outside and 255 inside the lungs.

    Returns:
        uint8, (S, S).
    """
    size = len(pixels)
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    rim = np.clip(4.0 - np.minimum(axis, 1 - axis) / 0.05, 0, 1)[None, :]
    rim = rim * (1 - near(lungs, 0.04))
    grey = pixels / np.float32(255)
    return _to_uint8(rim * blurred(grey, 0.04 * size) + (1 - rim) * grey)


def with_grain(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add quantum noise (uint8 in and out), stronger where more of the beam arrives in print."""
    grey = pixels / np.float32(255)
    noise = blurred(rng.standard_normal(pixels.shape).astype(np.float32), 0.6)
    return _to_uint8(grey + GRAIN * noise / float(noise.std()) * (0.35 + grey))


def with_marker(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put the side marker "R" where most radiographs have it: beside the patient's right lung."""
    size = len(pixels)
    place = (rng.uniform(0.015, 0.03) * size, rng.uniform(0.12, 0.45) * size)
    scale = rng.uniform(0.04, 0.05) * size / 21.0
    marked = pixels.copy()
    cv2.putText(
        marked, "R", (round(place[0]), round(place[1])), cv2.FONT_HERSHEY_SIMPLEX, scale, 245,
        max(1, round(1.7 * scale)), cv2.LINE_AA,
    )  # fmt: skip
    return marked


def near(field: np.ndarray, reach: float) -> np.ndarray:
    """1 in a field (uint8, (S, S), 0 or 255) and around it, falling to 0; float32.

    Args:
        field: such as the lungs.
        reach: how far the half of it lies from the field, as a share of the image's side.
    """
    width = 2 * round(reach * len(field)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    grown = cv2.dilate(field, kernel).astype(np.float32) / 255
    return blurred(grown, 0.5 * reach * len(field))


def _to_uint8(grey: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(grey * 255.0), 0, 255).astype(np.uint8)
