"""What the browser draws: the image, colour layers, contours, and what their colours stand for."""

import base64

import cv2
import numpy as np

from pneumo.imaging import overlay
from pneumo.imaging.radiograph import Radiograph
from pneumo.ui.texts import localized, text

# Longest sides in pixels. Canvases of 4096 are safe in every browser; a layer of a 16 x 16 map
# holds nothing finer than 512.
IMAGE_SIDE, LAYER_SIDE, THUMB_SIDE = 4096, 512, 112
# Where the contour runs, as a share of the scale.
CONTOUR_SHARE = 0.25
SIGNS = (overlay.FOR, overlay.AGAINST)


def image_picture(radiograph: Radiograph) -> dict:
    """The image for the screen: png (base64), width, height, and its description."""
    pixels = fitted(radiograph.pixels, IMAGE_SIDE)
    height, width = radiograph.pixels.shape
    size = {"width": width, "height": height, "source": radiograph.source}
    return {
        "png": _base64(overlay.encode_png(pixels, fast=True)),
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "alt": text("view.image.alt", **size),
    }


def map_picture(
    evidence: np.ndarray | None, shape: tuple[int, int], scale: float, sign: str
) -> dict:
    """One sign ("for" or "against") of the evidence, float32 (h, w) in logit units, for the screen.

    The colours end at the scale. Gives layer (png, base64, or "" when it is empty) and contours
    (lists of x, y from 0 to 1) on an image of this shape.
    """
    assert evidence is not None
    size = _layer_size(shape)
    layer = overlay.colour_layer(evidence, size, scale, sign)
    lines = overlay.contours(evidence, size, CONTOUR_SHARE * scale, sign)
    empty = not layer[..., 3].any()
    return {
        "layer": "" if empty else _base64(overlay.encode_png(layer)),
        "contours": [_relative(line, size) for line in lines],
    }


def lung_outlines(lungs: np.ndarray, shape: tuple[int, int]) -> list[list[list[float]]]:
    """Outlines of the lungs, uint8 (S, S), 255 inside, as lists of x, y from 0 to 1."""
    size = _layer_size(shape)
    smooth = cv2.resize(lungs, size[::-1], interpolation=cv2.INTER_CUBIC)
    inside = (smooth > 127).astype(np.uint8)
    lines, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [_relative(line.reshape(-1, 2), size) for line in lines if len(line) > 2]


def hottest(evidence: np.ndarray | None) -> list[float] | None:
    """Where the evidence, float32 (h, w), is strongest, x and y from 0 to 1; None if nowhere."""
    if evidence is None or evidence.max() <= 0:
        return None
    *_, (x, y) = cv2.minMaxLoc(overlay.upsample(evidence, (256, 256)))
    return [round((x + 0.5) / 256, 4), round((y + 0.5) / 256, 4)]


def legend_of(scale: float, sign: str) -> dict:
    """What the colours of a heatmap stand for: stops of a gradient, and words at its ticks."""
    ramp = np.linspace(0, scale if sign == overlay.FOR else -scale, 17, dtype=np.float32)
    layer = overlay.colour_layer(ramp[None], (1, len(ramp)), scale, sign)[0].tolist()
    digits = 3 if scale < 0.1 else 2 if scale < 2 else 1
    end = float(ramp[-1])
    levels = (0.0, end / 2, end, CONTOUR_SHARE * end)
    first, middle, last, level = (
        localized(f"{tick:.{digits}f}".replace("-", "−")) for tick in levels
    )
    return {
        "title": text(f"legend.{sign}"),
        "colours": ["#{:02x}{:02x}{:02x}{:02x}".format(*colour) for colour in layer],
        "line": "#{:02x}{:02x}{:02x}".format(*layer[3 * len(layer) // 4][:3]),
        "ticks": [first, middle, text(f"legend.end.{sign}", value=last)],
        "contour": text("legend.contour", level=level),
        "none": text(f"map.none.{sign}"),
    }


def thumbnail(radiograph: Radiograph) -> str:
    """A small picture of the image: png, base64."""
    return _base64(overlay.encode_png(fitted(radiograph.pixels, THUMB_SIDE)))


def fitted(pixels: np.ndarray, side: int) -> np.ndarray:
    """The image with no side longer than `side`; a smaller one stays as it is."""
    share = side / max(pixels.shape)
    if share >= 1:
        return pixels
    height, width = (max(1, round(length * share)) for length in pixels.shape)
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def _layer_size(shape: tuple[int, int]) -> tuple[int, int]:
    share = LAYER_SIDE / max(shape)
    return max(1, round(shape[0] * share)), max(1, round(shape[1] * share))


def _relative(line: np.ndarray, size: tuple[int, int]) -> list[list[float]]:
    return [[round(float(x) / size[1], 4), round(float(y) / size[0], 4)] for x, y in line]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
