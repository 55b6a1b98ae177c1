"""Eigenradiographs: a statistical model of normal radiographs, to draw those of nobody from.

An active appearance model (Cootes et al. 2001): every radiograph is warped to the mean chest, by
its lungs and then by optical flow, so that ribs, hearts and diaphragms of all lie on each other.
What remains is described by the principal components of the warped greys (Turk and Pentland 1991)
and of the warps. A sample is a Gaussian draw of both: a blend of all radiographs, a copy of none.
The model shows averages of real ones: it is made when it is needed and never stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from sklearn.decomposition import PCA

from pneumo.models.lungs import both_lungs

FEWEST = 900
COMPONENTS, SHAPES = 200, 30
SPREAD = 0.8
# Radiographs that agree least with the mean after warping are left out.
KEPT = 0.75
# Standard deviation of the blur of the flow in each round, and the farthest step, as shares of the
# image's side: without it ribs jump to their neighbours.
_BLURS = (0.045, 0.035, 0.03)
_STEP = 0.045
# Warps are described on a coarser grid; the flow ends smoothly within this share of the rim.
_GRID = 8
_RIM = 0.2
# Share of a sample cut off at each edge, where collimation of many radiographs leaves lines.
_CUT = 0.02


@dataclass(frozen=True, eq=False)
class EigenRadiographs:
    """Principal components of warped radiographs and of their warps.

    Attributes:
        texture: of the radiographs in the mean chest, float32, (N, size * size), 0..255.
        shape: of the displacements that lead from the mean chest to each radiograph, in pixels,
            float32, (N, (size / 8)² * 2).
        count: number of radiographs it was made from.
    """

    texture: PCA
    shape: PCA
    count: int

    def sample(self, rng: np.random.Generator, size: int, spread: float = SPREAD) -> np.ndarray:
        """Draw one radiograph: uint8, (size, size), with no detail finer than that of the data.

        Args:
            rng: draws the coefficients.
            size: side of the result.
            spread: standard deviation of the coefficients as a share of that of the radiographs.
        """
        flat, shifts = (_drawn(pca, rng, spread) for pca in (self.texture, self.shape))
        side = round(len(flat) ** 0.5)
        small = side // _GRID
        texture = np.clip(flat, 0, 255).reshape(side, side).astype(np.float32)
        shift = _resized(shifts.reshape(small, small, 2).astype(np.float32), side)
        # Where does each pixel of the result come from? The warp leads the other way.
        grid = _grid(side)
        origin = grid
        for _ in range(20):
            origin = grid - _moved(shift, origin)
        rim = round(_CUT * side)
        places = _resized(origin[rim:-rim, rim:-rim], size)
        found = cv2.remap(texture, places[..., 0], places[..., 1], cv2.INTER_CUBIC)
        return np.clip(np.rint(found), 0, 255).astype(np.uint8)


def eigenradiographs(
    *populations: tuple[np.ndarray, np.ndarray],
    components: int = COMPONENTS,
    shapes: int = SHAPES,
    fewest: int = FEWEST,
) -> EigenRadiographs:
    """Make the model; radiographs in which not both lungs were found are left out.

    Args:
        populations: of each the squares, uint8, (N, size, size), radiographs of one class, where
            size is a multiple of 8, and their lungs, uint8, as `find_lungs` gives them. Samples
            have the mean of the first; the others only add to what varies, all populations alike
            (the pooled covariance of discriminant analysis, Fisher 1936).
        components, shapes: how many principal components are kept of greys and of warps.
        fewest: radiographs needed of all; with too few a sample would resemble single ones of them.

    Raises:
        ValueError: when there are fewer radiographs than that, or not more than components.
    """
    framed = [
        [
            (s, frame)
            for s, field in zip(*one, strict=True)
            if (frame := chest_frame(field)) is not None
        ]
        for one in populations
    ]
    count = sum(int(KEPT * len(known)) for known in framed)
    least = max(fewest, components + 1)
    if count < least:
        raise ValueError(
            f"{count} radiographs are too few to draw those of nobody from; at least {least} "
            "are needed. Get the whole dataset."
        )
    chest = np.mean([frame for _, frame in framed[0]], axis=0)
    aligned = [_aligned(known, chest) for known in framed]
    textures, shifts = zip(*aligned, strict=True)
    return EigenRadiographs(_pooled(textures, components), _pooled(shifts, shapes), count)


def _aligned(
    known: list[tuple[np.ndarray, np.ndarray]], chest: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Greys in the mean chest, float32 (N, size * size), and warps of those that agree most."""
    images = [square for square, _ in known]
    size = len(images[0])
    warps = [_frame_warp(frame, chest, size) for _, frame in known]
    grid = _grid(size)
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow.setFinestScale(2)
    for blur in _BLURS:
        even = [_even(_moved(image, warp)) for image, warp in zip(images, warps, strict=True)]
        mean = _even(np.mean(even, axis=0))
        warps = [
            _moved(warp, _smooth(flow.calc(mean, other, 0 * grid), blur))
            for warp, other in zip(warps, even, strict=True)
        ]
    warped = np.stack([_moved(i, warp).ravel() for i, warp in zip(images, warps, strict=True)])
    agreement = [np.corrcoef(one, warped.mean(0))[0, 1] for one in warped]
    kept = np.sort(np.argsort(agreement)[-int(KEPT * len(known)) :])
    shifts = [_resized(warps[i] - grid, size // _GRID).ravel() for i in kept]
    return warped[kept].astype(np.float32), np.stack(shifts)


def _pooled(parts: Sequence[np.ndarray], components: int) -> PCA:
    """Principal components within the parts, each (N, D) and of equal weight, about the first's
    mean."""
    total = sum(len(part) for part in parts)
    weights = [np.sqrt(total / (len(parts) * len(part))) for part in parts]
    within = [w * (part - part.mean(0)) for w, part in zip(weights, parts, strict=True)]
    pca = PCA(components, svd_solver="randomized", random_state=0)
    pca.fit(np.concatenate(within).astype(np.float32))
    pca.mean_ = parts[0].mean(0)
    return pca


def chest_frame(lungs: np.ndarray) -> np.ndarray | None:
    """Where a chest lies, in fractions of the image: left, middle, right, top, bottom, float64.

    Args:
        lungs: uint8, (S, S), 0 or 255.

    Returns:
        Outer edges of the two lungs and the middle between their inner ones, mean top and bottom;
        None unless both lungs are found.
    """
    sides = both_lungs(lungs)
    if sides is None:
        return None
    (left, inner_left), (inner_right, right) = (_ends(side, 0) for side in sides)
    tops, bottoms = zip(*(_ends(side, 1) for side in sides), strict=True)
    frame = (left, (inner_left + inner_right) / 2, right, sum(tops) / 2, sum(bottoms) / 2)
    return np.array(frame) / len(lungs)


def _ends(field: np.ndarray, axis: int) -> tuple[int, int]:
    found = np.flatnonzero(field.any(axis))
    return int(found[0]), int(found[-1]) + 1


def _frame_warp(frame: np.ndarray, mean: np.ndarray, size: int) -> np.ndarray:
    """Pixels of a radiograph for those of the mean chest; the image's border stays its border."""
    axis = (np.arange(size) + 0.5) / size
    x, y = (
        np.interp(axis, [0, *mean[part], 1], [0, *frame[part], 1]) * size - 0.5
        for part in (slice(0, 3), slice(3, 5))
    )
    return np.stack(np.meshgrid(x, y), -1).astype(np.float32)


def _smooth(flow: np.ndarray, blur: float) -> np.ndarray:
    """Where each pixel moves by a flow (S, S, 2), made smooth, short, and none at the border."""
    size = len(flow)
    short = np.clip(flow, -_STEP * size, _STEP * size)
    axis = (np.arange(size) + 0.5) / size
    ramp = np.clip(np.minimum(axis, 1 - axis) / _RIM, 0, 1)
    inner = np.minimum(ramp[:, None], ramp[None, :])[..., None]
    return (_grid(size) + inner * cv2.GaussianBlur(short, (0, 0), blur * size)).astype(np.float32)


def _even(pixels: np.ndarray) -> np.ndarray:
    """A radiograph (S, S) of the same brightness and contrast everywhere, uint8, for the flow."""
    grey, size = pixels.astype(np.float32), len(pixels)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), 0.055 * size)
    contrast = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 0.07 * size)) + 6
    return np.clip(128 + 45 * detail / contrast, 0, 255).astype(np.uint8)


def _drawn(pca: PCA, rng: np.random.Generator, spread: float) -> np.ndarray:
    scale = spread * np.sqrt(pca.explained_variance_)
    return pca.mean_ + (scale * rng.standard_normal(len(scale))) @ pca.components_


def _moved(field: np.ndarray, places: np.ndarray) -> np.ndarray:
    """What a field (S, S) or (S, S, 2) holds at places, float32 (S, S, 2), x and y in pixels."""
    x, y = places[..., 0], places[..., 1]
    return cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _resized(field: np.ndarray, size: int) -> np.ndarray:
    return cv2.resize(field, (size, size), interpolation=cv2.INTER_LINEAR)


def _grid(size: int) -> np.ndarray:
    """The place of each pixel, float32 (S, S, 2)."""
    return np.stack(np.meshgrid(*[np.arange(size, dtype=np.float32)] * 2), -1)
