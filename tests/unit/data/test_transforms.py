"""Augmentation: reproducible, bounded, and its geometry is the same for image and mask."""

import cv2
import numpy as np

from pneumo.data.transforms import Augmentation, augment, generator
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
