"""What the browser draws: the film, heat layers, contours, and where the heat lies in words."""

from __future__ import annotations

import base64

import cv2
import numpy as np

from pneumo.imaging import overlay
from pneumo.imaging.radiograph import Radiograph
from pneumo.ui.texts import text

# Longest sides in pixels. Canvases of 4096 are safe in every browser; a layer of an 8 x 8 map
# holds nothing finer than 512.
FILM_SIDE, LAYER_SIDE, THUMB_SIDE = 4096, 512, 112

# Where the contour line runs, as a share of the scale.
CONTOUR_SHARE = 0.25

# Used for a card without one; about what the bundled networks have.
DEFAULT_SCALE = 0.2


def film_picture(radiograph: Radiograph) -> dict:
    """The film for the screen: png (base64), width, height, and the size it is stored in."""
    pixels = fitted(radiograph.pixels, FILM_SIDE)
    height, width = radiograph.pixels.shape
    return {
        "png": _base64(overlay.encode_png(pixels, fast=True)),
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "stored_width": width,
        "stored_height": height,
        "source": radiograph.source,
    }


def heat_picture(heat: np.ndarray, shape: tuple[int, int], scale: float, sign: str) -> dict:
    """One sign of the evidence for the screen.

    Args:
        heat: float32, (h, w), signed evidence.
        shape: (H, W) of the film.
        scale: where the colours end.
        sign: "for" or "against".

    Returns:
        layer (png, base64, or "" when it is empty), contours (lists of x, y from 0 to 1), peak
        (strongest evidence of this sign, 0 when there is none) and where (a sentence).
    """
    share = LAYER_SIDE / max(shape)
    size = tuple(max(1, round(side * share)) for side in shape)
    layer = overlay.colour_layer(heat, size, scale, sign)
    empty = not layer[..., 3].any()
    lines = overlay.contours(heat, size, CONTOUR_SHARE * scale, sign)
    signed = heat if sign == overlay.FOR else -heat
    return {
        "layer": "" if empty else _base64(overlay.encode_png(layer)),
        "contours": [
            [[round(float(x) / size[1], 4), round(float(y) / size[0], 4)] for x, y in line]
            for line in lines
        ],
        "peak": 0.0 if empty else float(signed.max()),
        "where": where(layer[..., 3], sign),
    }


def where(strength: np.ndarray, sign: str) -> str:
    """A sentence that says where the heat lies.

    Args:
        strength: uint8, (H, W), opacity of the heat.
        sign: "for" or "against".
    """
    if not strength.any():
        return text(f"heat.none.{sign}")
    row, column = (
        int(3 * float(places.mean()) / side)
        for places, side in zip(np.nonzero(strength == strength.max()), strength.shape, strict=True)
    )
    rows = [text(f"place.{name}") for name in ("upper", "middle", "lower")]
    columns = [text(f"place.{name}") for name in ("left", "centre", "right")]
    share = max(1, round(100 * float((strength > 127).mean())))
    return text(f"heat.where.{sign}", place=f"{rows[row]} {columns[column]}", share=share)


def thumbnail(radiograph: Radiograph) -> str:
    """A small picture of the film: png, base64."""
    return _base64(overlay.encode_png(fitted(radiograph.pixels, THUMB_SIDE)))


def fitted(pixels: np.ndarray, side: int) -> np.ndarray:
    """The picture with no side longer than `side`; a smaller one stays as it is."""
    share = side / max(pixels.shape)
    if share >= 1:
        return pixels
    height, width = (max(1, round(length * share)) for length in pixels.shape)
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
