"""Augmentation: geometry, exposure and the degradation that takes the dataset's shortcut away.

In the train set NORMAL radiographs were saved with less compression than PNEUMONIA ones, so that
sharpness alone tells the classes apart. Resampling, blur, sharpening, JPEG and noise are therefore
drawn alike for both classes; what remains to learn from is the chest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

# Validation sees the same copies whatever the seed of the training: seeds can be compared.
COPIES_SEED = 0
LEVELS = np.arange(256) / 255.0  # grey levels as shares of white
WIDEST = 2.2  # area of the widest frame, in areas of the image
SHARPENING = 1.2  # sigma of the blur that sharpening takes away, pixels


@dataclass(frozen=True)
class Augmentation:
    """How far the random changes go.

    Attributes:
        crop: smallest share of the area that a random crop keeps.
        rotation: largest rotation, degrees either way.
        shear: largest shear, degrees either way.
        flip: probability of mirroring left to right.
        exposure: half-width of the gamma, contrast and brightness jitter.
        degrade: probability of each degradation.
        wide: probability that the image is framed wider instead of cropped, with something around
            it: in the dataset how much of the image the lungs fill tells the classes apart.
        local: probability that local contrast is raised or lowered, as devices' software does.
    """

    crop: float = 0.3
    rotation: float = 10.0
    shear: float = 4.0
    flip: float = 0.5
    exposure: float = 0.3
    degrade: float = 0.5
    wide: float = 0.0
    local: float = 0.0


def generator(*key: int) -> np.random.Generator:
    """Random numbers that depend on the key alone, such as (seed, epoch, image)."""
    return np.random.default_rng(np.random.SeedSequence(key))


def random_matrix(rng: np.random.Generator, side: int, size: int, spec: Augmentation) -> np.ndarray:
    """A random affine map from a `side` square to a `size` square: crop, rotate, shear, flip.

    Returns:
        float64 (2, 3), for cv2.warpAffine.
    """
    # Plain numbers: arrays of four cost more than the radiograph's own warp does.
    wide = rng.random() < spec.wide
    area = rng.uniform(1.0, WIDEST) if wide else rng.uniform(spec.crop, 1.0)
    aspect = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
    width, height = math.sqrt(area * aspect), math.sqrt(area / aspect)
    if not wide:
        width, height = min(1.0, width), min(1.0, height)
    # Anywhere in the image; a wider frame has the image anywhere in it.
    x, y = (side * (share / 2 + (1 - share) * rng.random()) for share in (width, height))
    angle, shear = (math.radians(most * rng.uniform(-1, 1)) for most in (spec.rotation, spec.shear))
    zoom, sine, cosine, lean = size / side, math.sin(angle), math.cos(angle), math.tan(shear)
    mirror = -1 if rng.random() < spec.flip else 1
    across = [mirror * zoom * cosine / width, mirror * zoom * (lean * cosine - sine) / height]
    down = [zoom * sine / width, zoom * (lean * sine + cosine) / height]
    # The crop's centre lands on the middle of the output.
    return np.array([[a, b, size / 2 - a * x - b * y] for a, b in (across, down)])


def warp(square: np.ndarray, matrix: np.ndarray, size: int, around: int | None = 0) -> np.ndarray:
    """Apply an affine map; a grey outside the image, or its edge continued when that is None."""
    border = cv2.BORDER_CONSTANT if around is not None else cv2.BORDER_REPLICATE
    return cv2.warpAffine(
        square,
        matrix,
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=border,
        borderValue=float(around or 0),
    )


def local_contrast(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random CLAHE (Zuiderveld 1994) or a random share of the wide surroundings taken away."""
    if rng.random() < 0.4:
        tiles = int(rng.integers(3, 9))
        return cv2.createCLAHE(rng.uniform(1.0, 4.0), (tiles, tiles)).apply(square)
    reach = int(2 * rng.uniform(0.04, 0.15) * len(square)) | 1
    surroundings = cv2.blur(cv2.blur(square, (reach, reach)), (reach, reach))
    share = rng.uniform(-0.4, 0.8)
    return cv2.addWeighted(square, 1 + share, surroundings, -share, 0)


def expose(square: np.ndarray, rng: np.random.Generator, amount: float) -> np.ndarray:
    """Random gamma, contrast and brightness; uint8 in and out, any shape."""
    gamma = math.exp(rng.uniform(-amount, amount))
    contrast, brightness = 1 + rng.uniform(-amount, amount), rng.uniform(-amount, amount) / 2
    levels = LEVELS**gamma
    levels *= 255 * contrast
    levels += 255 * (0.5 * (1 - contrast) + brightness) + 0.5
    np.minimum(np.maximum(levels, 0, out=levels), 255, out=levels)
    return cv2.LUT(square, levels.astype(np.uint8))


def degrade(square: np.ndarray, rng: np.random.Generator, chance: float) -> np.ndarray:
    """Random resampling, blur, sharpening, noise and JPEG, each with the given probability."""
    height, width = square.shape
    if rng.random() < chance:
        scale = rng.uniform(0.35, 0.9)
        small = (max(8, int(width * scale)), max(8, int(height * scale)))
        how = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(3)]
        square = cv2.resize(
            cv2.resize(square, small, interpolation=how),
            (width, height),
            interpolation=cv2.INTER_CUBIC,
        )
    if rng.random() < chance:
        square = cv2.GaussianBlur(square, (0, 0), rng.uniform(0.3, 1.6) * width / 224)
    if rng.random() < chance:
        sharp, blurred = rng.uniform(0.2, 1.8), cv2.GaussianBlur(square, (0, 0), SHARPENING)
        square = cv2.addWeighted(square, 1 + sharp, blurred, -sharp, 0)
    if rng.random() < chance / 2:
        square = add_noise(square, rng, 0, rng.uniform(1, 8))
    if rng.random() < chance:
        square = jpeg(square, int(rng.integers(15, 91)))
    return square


def add_noise(
    square: np.ndarray, rng: np.random.Generator, mean: float, sigma: float
) -> np.ndarray:
    """The radiograph plus Gaussian noise in grey levels, clipped; uint8 in and out."""
    noise = rng.normal(mean, sigma, square.shape)
    return np.clip(square + noise + 0.5, 0, 255).astype(np.uint8)  # 0.5: to round


def jpeg(square: np.ndarray, quality: int) -> np.ndarray:
    """The radiograph after JPEG compression at a quality of 1 to 100; uint8 in and out."""
    coded = cv2.imencode(".jpg", square, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)


def augment(
    square: np.ndarray,
    rng: np.random.Generator,
    spec: Augmentation,
    size: int,
    masks: Sequence[np.ndarray] = (),
    mask_size: int | None = None,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """One random variant of a radiograph, and of its lung masks through the same geometry.

    Takes uint8 (S, S), gives uint8 (size, size), of masks (mask_size, mask_size), which is `size`
    unless given. `rng` decides everything; `spec` says how far to go.
    """
    matrix = random_matrix(rng, square.shape[0], size, spec)
    # What lies around an image that is framed wider: black, mostly, another grey, or its edge.
    kind = rng.random() if spec.wide else 0.0
    around = 0 if kind < 0.4 else None if kind < 0.7 else int(rng.integers(256))
    image = warp(square, matrix, size, around)
    if rng.random() < spec.local:
        image = local_contrast(image, rng)
    image = expose(image, rng, spec.exposure)
    image = degrade(image, rng, spec.degrade)
    mask_size = mask_size or size
    coarser = matrix * (mask_size / size)
    coarser[:, 2] += (mask_size / size - 1) / 2  # to the middle of the pixels it stands for
    return image, [warp(mask, coarser, mask_size) for mask in masks]


def degraded_copies(squares: np.ndarray, seed: int, strength: float) -> np.ndarray:
    """Validation copies that see a shift of quality and of framing, alike for both classes.

    A threshold chosen on the radiographs of one hospital as they are is too low elsewhere, where
    they are framed, turned and stored in other ways. Takes and gives uint8 (N, S, S); the same seed
    gives the same copies. `strength`, 0 (nothing) to 1, is the probability of each degradation, and
    scales the rest; nothing is mirrored.
    """
    if strength == 0:
        return squares.copy()  # even a crop of the whole area may change the aspect
    full = Augmentation()
    spec = Augmentation(
        crop=1 - 0.875 * strength,
        rotation=strength * full.rotation,
        shear=strength * full.shear,
        flip=0.0,
        exposure=0.2 * strength,
        degrade=strength,
    )
    key = int(1000 * strength)
    return np.stack(
        [
            augment(square, generator(seed, i, key), spec, square.shape[0])[0]
            for i, square in enumerate(squares)
        ]
    )
