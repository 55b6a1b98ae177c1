"""Draws the primitives of a phantom: smooth curves, filled shapes, hollow bones.

Every function works on one square float32 canvas; points are fractions of the picture, x to the
right and y downwards. OpenCV does the drawing with four fractional bits, so that a curve does not
jump from pixel to pixel.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from pneumo.imaging.opacity import blurred

_FRACTION_BITS = 4


def smooth_curve(
    points: Sequence[Sequence[float]] | np.ndarray, closed: bool = False, steps: int = 14
) -> np.ndarray:
    """Runs a Catmull-Rom spline through points.

    Args:
        points: at least two (x, y) pairs.
        closed: whether the curve returns to its first point.
        steps: segments between two neighbouring points.

    Returns:
        float64 array, N x 2, that passes through every point given.
    """
    knots = np.asarray(points, dtype=np.float64)
    if closed:
        knots = np.vstack([knots[-1:], knots, knots[:2]])
    else:
        knots = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    t = np.linspace(0.0, 1.0, steps, endpoint=False)[:, None]
    a, b, c, d = (knots[i : len(knots) - 3 + i, None] for i in range(4))
    bends = (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    curve = (b + 0.5 * ((c - a) * t + bends)).reshape(-1, 2)
    return curve if closed else np.vstack([curve, knots[-2:-1]])


def _pixels(curves: np.ndarray | Sequence[np.ndarray], size: int) -> list[np.ndarray]:
    """Fractions of the picture to OpenCV's fixed-point coordinates of pixel centres."""
    several = [curves] if isinstance(curves, np.ndarray) else curves
    return [np.round((c * size - 0.5) * (1 << _FRACTION_BITS)).astype(np.int32) for c in several]


def filled(
    curves: np.ndarray | Sequence[np.ndarray], size: int, softness: float = 0.0
) -> np.ndarray:
    """Fills closed curves.

    Args:
        curves: N x 2 points in fractions of the picture, or several such that do not overlap.
        size: side of the canvas in pixels.
        softness: standard deviation of the edge, as a fraction of the picture.

    Returns:
        float32 array, size x size: 1 inside, 0 outside.
    """
    canvas = np.zeros((size, size), np.uint8)
    cv2.fillPoly(canvas, _pixels(curves, size), 255, cv2.LINE_AA, _FRACTION_BITS)
    return blurred(canvas.astype(np.float32) / 255.0, softness * size)


def stroke(
    curves: np.ndarray | Sequence[np.ndarray], width: float, size: int, softness: float = 0.0
) -> np.ndarray:
    """Draws a line of constant width (a fraction of the picture) along a curve, or several.

    Returns:
        float32 array, size x size, 0..1. A line thinner than a pixel is drawn one pixel wide and
        paler by as much.
    """
    canvas = np.zeros((size, size), np.uint8)
    thickness = max(1, round(width * size))
    lines = _pixels(curves, size)
    cv2.polylines(canvas, lines, False, 255, thickness, cv2.LINE_AA, _FRACTION_BITS)
    pale = min(1.0, width * size) / 255.0
    return blurred(canvas.astype(np.float32) * pale, softness * size)


def bone(curve: np.ndarray, width: float, size: int, marrow: float = 0.55) -> np.ndarray:
    """Draws a hollow tube as X-rays see it: the two edges brighter than the middle.

    Args:
        curve: N x 2 centre line in fractions of the picture.
        width: outer diameter as a fraction of the picture.
        size: side of the canvas in pixels.
        marrow: what the middle loses against the edges, 0..1.

    Returns:
        float32 array, size x size, about 0..1.
    """
    soft = width * 0.06
    inner = stroke(curve, width * 0.66, size, width * 0.13)
    return stroke(curve, width, size, soft) - marrow * inner
