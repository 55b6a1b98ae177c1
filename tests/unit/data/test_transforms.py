"""Augmentation: reproducible, bounded, and its geometry is the same for image and mask."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from pneumo.data.transforms import (
    Augmentation,
    add_noise,
    augment,
    between,
    blur,
    degraded_copies,
    generator,
    jpeg,
    random_matrix,
)
from tests.radiographs import synthetic


def test_same_key_same_image():
    image = synthetic(1, size=96)
    variants = [augment(image, generator(5, 1, i), Augmentation(), 96)[0] for i in (0, 0, 1)]
    assert np.array_equal(variants[0], variants[1])
    assert not np.array_equal(variants[0], variants[2])


def test_a_mask_moves_with_its_image_also_when_it_is_coarser():
    image = cv2.GaussianBlur(synthetic(4, size=128), (0, 0), 3)
    spec = Augmentation(exposure=0, degrade=0)
    for seed in range(10):
        moved, (same,) = augment(image, generator(seed), spec, 96, [image])
        assert np.array_equal(moved, same)
        for side in (48, 24):
            _, (mask,) = augment(image, generator(seed), spec, 96, [image], side)
            # The mean of the pixels it stands for; along an edge one of both may see black.
            mean = cv2.resize(moved, (side, side), interpolation=cv2.INTER_AREA)
            apart = mask.astype(int) - mean
            assert np.median(np.abs(apart)) <= 1 and np.mean(np.abs(apart) > 8) < 0.05


def test_blur_is_opencvs_and_a_number_between_the_generators_own():
    image = synthetic(5, size=224)
    for sigma in (0.3, 0.9, 1.6):
        apart = blur(image, sigma).astype(int) - cv2.GaussianBlur(image, (0, 0), sigma)
        assert np.abs(apart).max() <= 2
    mine, theirs = generator(3), generator(3)
    for low, high in ((0.3, 1.0), (-1, 1), (math.log(3 / 4), math.log(4 / 3)), (15.0, 15.0)) * 50:
        assert between(mine, low, high) == theirs.uniform(low, high)


def test_noise_has_its_strength_and_depends_on_its_key_alone():
    grey = np.full((200, 200), 128, np.uint8)
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda key: add_noise(grey, generator(key), 3, 8), [1, 2] * 6))
    assert all(np.array_equal(noisy, made[i % 2]) for i, noisy in enumerate(made))
    assert not np.array_equal(made[0], made[1])
    assert abs(made[0].mean() - 131) < 0.3 and abs(made[0].std() - 8) < 0.3
    bright = add_noise(np.full_like(grey, 250), generator(1), 0, 8)
    assert bright.max() == 255 and bright.min() > 200  # clipped, not wrapped


def test_the_middle_of_the_crop_stays_inside_the_image():
    for seed in range(200):
        matrix = random_matrix(generator(seed), 224, 128, Augmentation())
        x, y = cv2.invertAffineTransform(matrix) @ (64, 64, 1)
        assert 0 < x < 224 and 0 < y < 224
        # A crop keeps at least 0.3 of the area, so magnification is at most 1 / sqrt(0.3 * 3/4).
        scale = np.linalg.svd(matrix[:, :2], compute_uv=False) / (128 / 224)
        assert scale.max() < 2.5 and scale.min() > 0.9


def test_degraded_copies_depend_on_place_and_seed_alone():
    images = np.stack([synthetic(i, size=64) for i in (0, 1, 1)])
    copies = degraded_copies(images, 7, 0.8)
    assert np.array_equal(copies[:2], degraded_copies(images[:2], 7, 0.8))
    assert not np.array_equal(copies, degraded_copies(images, 8, 0.8))
    assert not np.array_equal(copies[1], copies[2])
    assert np.array_equal(degraded_copies(images, 7, 0.0), images)


@pytest.mark.parametrize(("strength", "share"), [(0.4, 0.65), (0.8, 0.3)])
def test_degraded_copies_are_framed_anew_within_bounds(strength, share):
    # Coordinates instead of an image: what a copy shows of the square can be read off its levels.
    size, count = 64, 40
    ramp = np.linspace(40, 215, size).astype(np.uint8)
    shares = []
    for image in degraded_copies(np.stack([np.tile(ramp, (size, 1))] * count), 3, strength):
        middle = np.median(image[size // 2 - 4 : size // 2 + 4], axis=0)
        assert middle[-8:].mean() > middle[:8].mean()  # never mirrored
        shares.append((middle.max() - middle.min()) / (float(ramp[-1]) - ramp[0]))
    # One side of a crop keeps at least its share of the area; exposure blurs the reading.
    assert min(shares) > share - 0.25 and np.std(shares) > 0.02


def test_jpeg_costs_more_the_lower_its_quality():
    image = synthetic(3, size=224)
    errors = [np.abs(jpeg(image, q).astype(int) - image).mean() for q in (95, 50, 15)]
    assert 0 < errors[0] < errors[1] < errors[2] < 8
