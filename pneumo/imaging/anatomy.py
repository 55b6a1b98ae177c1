"""Draws the parts of a child's chest: body, lungs, heart, ribs, spine, clavicles, arms, vessels.

An `Anatomy` says where things lie; each function draws one part as a map of how much it weakens
the beam. Places inside the chest are given as (u, v): u from the midline (0) to the side wall at
its widest (1), v from the top of the lungs (0) to the top of the diaphragm's dome (1). `side` is
-1 for the picture's left, which is the patient's right, and +1 for the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pneumo.imaging.strokes import blurred, bone, filled, smooth_curve, stroke

# Half-width of the rib cage over v: it opens from the top like a bell.
_CAGE_V = (-0.15, -0.06, 0.0, 0.1, 0.22, 0.4, 0.62, 0.85, 1.1, 1.5)
_CAGE_U = (0.18, 0.36, 0.48, 0.64, 0.77, 0.89, 0.97, 1.01, 1.04, 1.05)
_LUNG = (
    (0.20, 0.16), (0.27, 0.03), (0.38, -0.04), (0.52, 0.01), (0.66, 0.12), (0.78, 0.25),
    (0.88, 0.42), (0.95, 0.62), (0.99, 0.85), (1.01, 1.10), (0.99, 1.17), (0.92, 1.09),
    (0.78, 1.02), (0.58, 0.985), (0.38, 1.00), (0.20, 1.04), (0.13, 0.90), (0.13, 0.60),
    (0.15, 0.35),
)  # fmt: skip
_HEART_RIGHT = ((-0.19, -0.05), (-0.20, 0.15), (-0.21, 0.34), (-0.29, 0.48), (-0.36, 0.66),
                (-0.34, 0.86), (-0.24, 1.06))  # fmt: skip
_HEART_LEFT = ((0.42, 1.08), (0.60, 0.98), (0.645, 0.88), (0.60, 0.74), (0.49, 0.56),
               (0.38, 0.40), (0.29, 0.28), (0.24, 0.16), (0.19, 0.0), (0.15, -0.10))  # fmt: skip


@dataclass(frozen=True)
class Anatomy:
    """Where one child's chest lies in the picture (fractions of its side) and how it is built."""

    midline: float = 0.5
    apex: float = 0.20
    dome_right: float = 0.72
    dome_left: float = 0.74
    width_right: float = 0.33
    width_left: float = 0.33
    heart: float = 1.0
    thymus: float = 0.0
    rib_slope: float = 1.0
    rib_spacing: float = 0.118
    rib_offset: float = 0.0
    tilt: float = 0.0
    arms: float = 0.5
    body: float = 1.0

    @classmethod
    def drawn_from(cls, rng: np.random.Generator) -> Anatomy:
        """Draws a child at random, somewhat turned, tilted and off centre."""
        width = rng.uniform(0.295, 0.36)
        turn = rng.normal(0.0, 0.018)
        dome = rng.uniform(0.68, 0.77)
        return cls(
            midline=0.5 + rng.normal(0.0, 0.012),
            apex=rng.uniform(0.155, 0.225),
            dome_right=dome,
            dome_left=dome + rng.uniform(0.0, 0.035),
            width_right=width - turn,
            width_left=width + turn,
            heart=rng.uniform(0.88, 1.14),
            thymus=max(0.0, rng.normal(0.0, 0.5)),
            rib_slope=rng.uniform(0.75, 1.3),
            rib_spacing=rng.uniform(0.108, 0.128),
            rib_offset=rng.uniform(-0.02, 0.02),
            tilt=rng.normal(0.0, 0.022),
            arms=rng.uniform(0.0, 1.0),
            body=rng.uniform(0.94, 1.06),
        )

    def place(self, uv: ArrayLike, side: int) -> np.ndarray:
        """Turns (u, v) of one side of the chest into (x, y) of the picture.

        Args:
            uv: N x 2, or one pair.
            side: -1 for the picture's left, +1 for its right.

        Returns:
            float64 array, N x 2, fractions of the picture.
        """
        return self.across(np.atleast_2d(np.asarray(uv, dtype=np.float64)) * (side, 1.0))

    def across(self, uv: ArrayLike) -> np.ndarray:
        """`place` for points of both sides: u is negative on the picture's left."""
        u, v = np.asarray(uv, dtype=np.float64).T
        # The two domes differ in height; near the spine one passes smoothly into the other.
        share = np.clip(0.5 + 2.0 * u, 0.0, 1.0)
        dome = (1.0 - share) * self.dome_right + share * self.dome_left
        x = u * np.where(u < 0, self.width_right, self.width_left)
        y = self.apex + v * (dome - self.apex) - 0.5
        cos, sin = np.cos(self.tilt), np.sin(self.tilt)
        return np.stack([self.midline + cos * x - sin * y, 0.5 + sin * x + cos * y], axis=1)


def body(child: Anatomy, size: int) -> np.ndarray:
    """Soft tissue of trunk, neck, chin and arms; thin at its rim, 0 in the air around it."""
    wide = child.body
    outline = [(0.22, -0.75), (0.25, -0.26), (0.50, -0.17), (0.95, -0.08), (1.12, 0.10),
               (1.13, 0.45), (1.17, 0.85), (1.22, 1.30), (1.24, 2.2)]  # fmt: skip
    right = child.across([(-u * wide, v) for u, v in outline])
    left = child.across([(u * wide, v) for u, v in reversed(outline)])
    trunk = filled(smooth_curve(np.vstack([right, left])), size)
    head = child.across([(0.5 * np.cos(a), -0.58 + 0.34 * np.sin(a)) for a in _turn()])
    soft = trunk + 0.0
    for side in (-1, 1):
        soft = np.maximum(soft, stroke(_arm(child, side), 0.15 * wide, size))
    rim = blurred(soft, 0.028 * size)
    deep = blurred(trunk, 0.085 * size)
    shape = np.clip(2.0 * rim - 1.0, 0.0, 1.0) ** 0.6 * (0.42 + 0.58 * deep)
    return shape + 0.45 * blurred(filled(head, size), 0.02 * size)


def _turn() -> np.ndarray:
    return np.linspace(0.0, 2 * np.pi, 48, endpoint=False)


def _arm(child: Anatomy, side: int) -> np.ndarray:
    """Centre line of an upper arm: `arms` 0 hangs beside the trunk, 1 points upwards."""
    raised = child.arms
    return smooth_curve(
        child.place(
            [(0.92, -0.04), (1.20, 0.02 - 0.30 * raised), (1.40, 0.60 - 1.00 * raised),
             (1.52, 1.25 - 2.00 * raised)],
            side,
        )
    )  # fmt: skip


def lung(child: Anatomy, side: int, size: int, softness: float = 0.0035) -> np.ndarray:
    """One lung field from its top to the diaphragm, heart shadow included: 1 inside, 0 outside."""
    return filled(smooth_curve(child.place(_LUNG, side), closed=True), size, softness)


def heart(child: Anatomy, size: int) -> np.ndarray:
    """Heart and mediastinum, 1 inside, with the edge of a beating organ."""
    big = child.heart
    right = [(u * (1 + 0.75 * (big - 1)), v) for u, v in _HEART_RIGHT]
    left = [(u * (big if v > 0.3 else 1.0) + 0.09 * child.thymus * np.exp(-(((v - 0.2) / 0.14)**2)),
             v) for u, v in _HEART_LEFT]  # fmt: skip
    return filled(smooth_curve(child.across(right + left), closed=True), size, 0.005)


def abdomen(child: Anatomy, size: int) -> np.ndarray:
    """Everything below the two domes of the diaphragm, 1 inside."""
    parts = []
    for side in (-1, 1):
        dome = [(u, v) for u, v in _LUNG[9:16]] + [(0.0, 1.06), (0.0, 2.4), (1.1, 2.4)]
        parts.append(filled(child.place(dome, side), size, 0.004))
    return np.maximum(*parts)


def ribs(child: Anatomy, side: int, size: int) -> np.ndarray:
    """Ribs of one side; the front halves are fainter and end where cartilage begins."""
    total = np.zeros((size, size), np.float32)
    width = 0.074 * (child.dome_right - child.apex)
    for number in range(11):
        start = -0.10 + child.rib_offset + number * child.rib_spacing
        drop = child.rib_slope * (0.12 + 0.016 * number)
        turn_v = start + drop
        wall = float(np.interp(turn_v, _CAGE_V, _CAGE_U))
        back = [(0.13, start + 0.01), (0.13 + 0.30 * (wall - 0.13), start - 0.018),
                (0.13 + 0.66 * (wall - 0.13), start + 0.20 * drop),
                (wall * 0.945, start + 0.62 * drop), (wall, turn_v)]  # fmt: skip
        reach = 0.34 + 0.035 * max(0, number - 4)
        front = [(wall, turn_v), (wall * 0.985, turn_v + 0.055), (wall * 0.90, turn_v + 0.125),
                 (wall * 0.72, turn_v + 0.19), (reach, turn_v + 0.215)]  # fmt: skip
        part = 0.85 * bone(smooth_curve(child.place(back, side)), width, size)
        if number < 8:
            line = smooth_curve(child.place(front, side))
            faded = bone(line[:-6], width * 1.02, size) * _fading(line, child, side, size)
            part = np.maximum(part, 0.48 * faded)
        total += part
    return total


def _fading(line: np.ndarray, child: Anatomy, side: int, size: int) -> np.ndarray:
    """1 at the side wall, falling to 0 towards the inner end of a front rib; one row, 1 x size."""
    x = (np.arange(size) + 0.5) / size
    inner, outer = sorted((abs(line[-1, 0] - child.midline), abs(line[0, 0] - child.midline)))
    grown = (side * (x - child.midline) - inner) / max(outer - inner, 1e-6)
    return np.clip(0.05 + 1.5 * grown, 0.0, 1.0).astype(np.float32)[None, :]


def spine(child: Anatomy, size: int) -> np.ndarray:
    """Vertebrae from the neck to the belly with discs between them and pairs of pedicles."""
    column = smooth_curve(child.across([(0.0, -0.5), (0.0, 0.0), (0.0, 0.6), (0.0, 2.2)]))
    blocks, rings, processes = [], [], []
    for number in range(-5, 17):
        v = -0.08 + number * child.rib_spacing * 0.97
        half = 0.105 + 0.0022 * number
        tall = child.rib_spacing * 0.36
        corners = [(-half, v - tall), (0.0, v - tall * 0.86), (half, v - tall),
                   (half * 0.88, v), (half, v + tall), (0.0, v + tall * 0.86),
                   (-half, v + tall), (-half * 0.88, v)]  # fmt: skip
        blocks.append(smooth_curve(child.across(corners), closed=True))
        for u in (-0.068, 0.068):
            oval = np.stack([u + 0.020 * np.cos(_turn()), v + 0.030 * np.sin(_turn())], axis=1)
            rings.append(child.across(oval))
        processes.append(child.across([(0.0, v + 0.02), (0.0, v + 0.075)]))
    bodies = filled(blocks, size, 0.0022)
    total = 0.55 * stroke(column, 0.082, size, 0.006)
    total += 0.30 * bodies - 0.14 * blurred(bodies, 0.008 * size)
    total += 0.22 * stroke(rings, 0.0055, size, 0.001)
    return total + 0.10 * stroke(processes, 0.012, size, 0.003)


def shoulders(child: Anatomy, size: int) -> np.ndarray:
    """Clavicles, shoulder blades and upper arm bones of both sides."""
    total = np.zeros((size, size), np.float32)
    lift = 0.16 * child.arms
    for side in (-1, 1):
        collar = [(0.16, -0.02), (0.32, -0.075), (0.50, -0.085 - 0.3 * lift),
                  (0.70, -0.12 - 0.7 * lift), (0.92, -0.13 - lift)]  # fmt: skip
        total += 0.95 * bone(smooth_curve(child.place(collar, side)), 0.021, size)
        blade = [(0.93, -0.09 - lift), (0.80, 0.02), (0.76, 0.16), (0.86, 0.40), (0.97, 0.30),
                 (1.02, 0.05)]  # fmt: skip
        edge = smooth_curve(child.place(blade, side), closed=True)
        total += 0.16 * filled(edge, size, 0.003) + 0.22 * stroke(edge, 0.007, size, 0.0015)
        line = _arm(child, side)
        total += 0.95 * bone(line[16:], 0.040, size)
        knob = line[16] + 0.026 * np.stack([np.cos(_turn()), np.sin(_turn())], axis=1)
        total += 0.45 * filled(knob, size, 0.003)
    return total


def airway(child: Anatomy, size: int) -> np.ndarray:
    """Air in the windpipe and its two main branches, 1 inside."""
    fork = (0.015, 0.27)
    lines = [[(0.005, -0.40), (0.01, 0.0), fork], [fork, (-0.10, 0.35), (-0.20, 0.42)],
             [fork, (0.12, 0.36), (0.22, 0.42)]]  # fmt: skip
    widths = (0.030, 0.017, 0.016)
    drawn = [
        stroke(smooth_curve(child.across(line)), width, size, 0.003)
        for line, width in zip(lines, widths, strict=True)
    ]
    return np.maximum.reduce(drawn)


def vessels(child: Anatomy, side: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Branching vessels of one lung, fanning out from its root and thinning towards the rim."""
    root = np.array([0.27, 0.44])
    angles = np.linspace(-1.25, 1.45, 9) + rng.normal(0.0, 0.08, 9)
    ends = [(root + rng.normal(0.0, 0.025, 2), angle) for angle in angles]
    total = np.zeros((size, size), np.float32)
    for width in (0.011, 0.0073, 0.0048, 0.0032):
        grown = [_branch(rng, *end) for end in ends]
        lines = [smooth_curve(child.place(points, side)) for points, _ in grown]
        total += 40 * width * stroke(lines, width, size)
        ends = [
            (points[-1], angle + turn + rng.normal(0.0, 0.1))
            for points, angle in grown
            for turn in (-0.38, 0.34)
        ]
    return blurred(total, 0.0012 * size)


def _branch(rng: np.random.Generator, start: np.ndarray, angle: float) -> tuple[np.ndarray, float]:
    """One vessel up to its fork: its (u, v) points and the direction it ends in."""
    points = [start]
    for _ in range(3):
        angle += rng.normal(0.0, 0.16)
        # The lung is about 1.6 times as tall as wide, so a step in v is shorter than one in u.
        points.append(points[-1] + 0.062 * np.array([np.cos(angle), 0.66 * np.sin(angle)]))
    return np.array(points), angle
