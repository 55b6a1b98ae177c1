"""The corruption table: every corruption spoils what it says, alike for any film."""

from __future__ import annotations

import numpy as np
import pytest

from pneumo.data.transforms import generator
from pneumo.evaluation.robustness import CORRUPTIONS
from pneumo.imaging.phantom import phantom


@pytest.fixture(scope="module")
def film() -> np.ndarray:
    return phantom(2, size=224)[0]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_gives_a_film_and_leaves_the_original_alone(name, film):
    before = film.copy()
    spoiled = CORRUPTIONS[name](film, generator(1))
    assert spoiled.dtype == np.uint8 and spoiled.ndim == 2
    assert np.array_equal(film, before)
    assert (name == "as it is") == (spoiled.shape == film.shape and np.array_equal(spoiled, film))
    assert np.array_equal(spoiled, CORRUPTIONS[name](film, generator(1)))


def test_sizes_and_greys(film):
    for side in (64, 128, 512):
        assert CORRUPTIONS[f"resized to {side} px"](film, None).shape == (side, side)
    assert CORRUPTIONS["letterboxed"](film, None).shape == (224, 224 + 2 * 37)
    spread = {name: CORRUPTIONS[name](film, None).std() for name in
              ("contrast x 0.6", "as it is", "contrast x 1.4")}
    assert list(spread.values()) == sorted(spread.values())
