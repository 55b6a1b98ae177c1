"""An inserted opacity lies where it was asked for, brightens the lung and nothing else."""

import numpy as np

from pneumo.imaging.opacity import insert_opacity
from tests.unit.imaging.files import chest

BEFORE = chest(240, 300)


def test_an_opacity_brightens_its_place_and_leaves_the_rest_alone():
    before = BEFORE
    after, mask = insert_opacity(before, (90, 120), 24, 0.8, np.random.default_rng(1))
    assert after.dtype == np.uint8 and after.shape == mask.shape == before.shape
    assert mask[120, 90] and mask.dtype == bool
    assert after[mask].mean() > before[mask].mean() + 25
    y, x = np.mgrid[:240, :300]
    far = np.hypot(x - 90, y - 120) > 2.3 * 24
    assert not mask[far].any()
    assert np.array_equal(after[far], before[far])


def test_the_area_is_about_that_of_a_circle_but_no_circle():
    areas = []
    for seed in range(12):
        _, mask = insert_opacity(BEFORE, (90, 120), 24, 0.8, np.random.default_rng(seed))
        areas.append(mask.sum() / (np.pi * 24**2))
    assert 0.7 < np.mean(areas) < 1.3
    assert np.std(areas) > 0.03


def test_strength_is_how_much_air_is_replaced():
    faint, dense = (
        insert_opacity(BEFORE, (90, 120), 24, strength, np.random.default_rng(2))[0][120, 90]
        for strength in (0.2, 1.0)
    )
    assert BEFORE[120, 90] < faint < dense <= 200


def test_the_same_generator_gives_the_same_opacity_and_the_input_is_not_changed():
    before = BEFORE.copy()
    one, two = (
        insert_opacity(before, (10, 10), 30, 0.5, np.random.default_rng(4))[0] for _ in "ab"
    )
    assert np.array_equal(one, two)
    assert np.array_equal(before, BEFORE)
