"""Augmentation: reproducible, and its geometry is the same for film and mask."""

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
    warp,
)
from pneumo.imaging.phantom import phantom

STILL = Augmentation(crop=1.0, rotation=0, shear=0, flip=0, exposure=0, degrade=0)


def test_same_key_same_film():
    film = phantom(1, size=96)[0]
    variants = [augment(film, generator(5, 1, i), Augmentation(), 96)[0] for i in (0, 0, 1)]
    assert np.array_equal(variants[0], variants[1])
    assert not np.array_equal(variants[0], variants[2])


def test_nothing_to_change_changes_almost_nothing():
    film = phantom(2, size=96)[0]
    # Crop aspect still varies; with the whole area kept it is clipped to the whole film.
    for seed in range(20):
        matrix = random_matrix(generator(seed), 96, 96, STILL)
        if np.allclose(matrix, [[1, 0, 0], [0, 1, 0]], atol=1e-9):
            assert np.array_equal(warp(film, matrix, 96), film)


def test_mask_moves_with_the_film():
    film = np.zeros((128, 128), np.uint8)
    cv2.circle(film, (50, 70), 20, 255, -1)
    spec = Augmentation(exposure=0, degrade=0)
    for seed in range(10):
        moved, (mask,) = augment(film, generator(seed), spec, 96, [film])
        assert np.array_equal(moved, mask)


@pytest.mark.parametrize("coarser", [2, 4])
def test_a_coarser_mask_shows_the_same_place(coarser):
    film = cv2.GaussianBlur(phantom(4, size=128)[0], (0, 0), 3)
    spec = Augmentation(exposure=0, degrade=0)
    for seed in range(10):
        side = 96 // coarser
        moved, (mask,) = augment(film, generator(seed), spec, 96, [film], side)
        assert mask.shape == (side, side)
        # Of the pixels it stands for the mean; along an edge of the film one of both may see black.
        mean = cv2.resize(moved, (side, side), interpolation=cv2.INTER_AREA)
        apart = mask.astype(int) - mean
        assert np.median(np.abs(apart)) <= 1 and np.mean(np.abs(apart) > 8) < 0.05
        assert abs(np.median(apart)) <= 1


@pytest.mark.parametrize("sigma", [0.3, 0.9, 1.6])
def test_blur_is_opencvs(sigma):
    film = phantom(5, size=224)[0]
    assert np.abs(blur(film, sigma).astype(int) - cv2.GaussianBlur(film, (0, 0), sigma)).max() <= 1


def test_noise_has_its_strength_and_depends_on_its_key_alone():
    grey = np.full((200, 200), 128, np.uint8)
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda key: add_noise(grey, generator(key), 3, 8), [1, 2] * 6))
    assert all(np.array_equal(noisy, made[i % 2]) for i, noisy in enumerate(made))
    assert not np.array_equal(made[0], made[1])
    assert abs(made[0].mean() - 131) < 0.3 and abs(made[0].std() - 8) < 0.3
    bright = add_noise(np.full_like(grey, 250), generator(1), 0, 8)
    assert bright.max() == 255 and bright.min() > 200  # clipped, not wrapped


def test_the_middle_of_the_crop_stays_inside_the_film():
    for seed in range(200):
        matrix = random_matrix(generator(seed), 224, 128, Augmentation())
        inverse = cv2.invertAffineTransform(matrix)
        x, y = inverse @ (64, 64, 1)
        assert 0 < x < 224 and 0 < y < 224
        # A crop keeps at least 0.3 of the area, so magnification is at most 1 / sqrt(0.3 * 3/4).
        scale = np.linalg.svd(matrix[:, :2], compute_uv=False) / (128 / 224)
        assert scale.max() < 2.5 and scale.min() > 0.9


def test_degraded_copies_depend_on_place_and_seed_alone():
    films = np.stack([phantom(i, size=64)[0] for i in range(4)])
    copies = degraded_copies(films, 7, 0.8)
    assert np.array_equal(copies, degraded_copies(films, 7, 0.8))
    assert np.array_equal(copies[:2], degraded_copies(films[:2], 7, 0.8))
    assert not np.array_equal(copies, degraded_copies(films, 8, 0.8))
    assert np.array_equal(degraded_copies(films, 7, 0.0), films)


@pytest.mark.parametrize(("strength", "share"), [(0.4, 0.65), (0.8, 0.3)])
def test_degraded_copies_are_framed_anew_within_bounds(strength, share):
    # Coordinates instead of a film: what a copy shows of the square can be read off its levels.
    size, count = 64, 40
    ramp = np.linspace(40, 215, size).astype(np.uint8)
    films = np.stack([np.tile(ramp, (size, 1))] * count)
    plain = np.float64(ramp[-1]) - ramp[0]
    shares = []
    for film in degraded_copies(films, 3, strength):
        middle = np.median(film[size // 2 - 4 : size // 2 + 4], axis=0)
        assert middle[-8:].mean() > middle[:8].mean()  # never mirrored
        shares.append((middle.max() - middle.min()) / plain)
    # One side of a crop keeps at least its share of the area; exposure blurs the reading.
    assert min(shares) > share - 0.25 and np.std(shares) > 0.02


def test_copies_of_the_same_film_do_not_depend_on_anything_but_its_place():
    film = phantom(1, size=64)[0]
    both = degraded_copies(np.stack([film, film, film]), 5, 0.6)
    alone = degraded_copies(film[None], 5, 0.6)
    # No label is asked, so both classes are spoiled alike; but every film in its own way.
    assert np.array_equal(both[:1], alone)
    assert not np.array_equal(both[0], both[1]) and not np.array_equal(both[1], both[2])


@pytest.mark.parametrize("quality", [15, 50, 95])
def test_jpeg_costs_more_the_lower_its_quality(quality):
    film = phantom(3, size=224)[0]
    error = np.abs(jpeg(film, quality).astype(int) - film).mean()
    assert 0 < error < {15: 8, 50: 4, 95: 2}[quality]


def test_a_number_between_is_the_generators_own():
    mine, theirs = generator(3), generator(3)
    for low, high in ((0.3, 1.0), (-1, 1), (math.log(3 / 4), math.log(4 / 3)), (15.0, 15.0)) * 50:
        assert between(mine, low, high) == theirs.uniform(low, high)
