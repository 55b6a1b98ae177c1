"""Robustness: every corruption changes what it says, alike for any radiograph."""

import numpy as np
import pytest

from pneumo.data.transforms import generator
from pneumo.evaluation.robustness import CORRUPTIONS
from tests.radiographs import synthetic


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return synthetic(2, size=224)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_gives_a_new_image_and_repeats_itself(name, image):
    before = image.copy()
    changed = CORRUPTIONS[name](image, generator(1))
    assert changed.dtype == np.uint8 and changed.ndim == 2
    assert np.array_equal(image, before)
    same = changed.shape == image.shape and np.array_equal(changed, image)
    assert same == (name == "none")
    assert np.array_equal(changed, CORRUPTIONS[name](image, generator(1)))
