"""The lung measures on pictures whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from pneumo.training.lungs import (
    PAINT,
    boxed_lungs,
    common_field,
    heat_in_lungs,
    heat_shared,
    only_lungs,
    paint_field,
)


@pytest.fixture
def film() -> tuple[np.ndarray, np.ndarray]:
    """A film of grey 200 with two lungs of grey 40 and their mask."""
    mask = np.zeros((224, 224), np.uint8)
    mask[50:150, 30:90] = mask[50:150, 130:190] = 255
    mask[50:70, 30:40] = 0  # the lungs are no boxes
    return np.where(mask > 0, 40, 200).astype(np.uint8), mask


def test_only_lungs_keeps_them_and_paints_the_rest(film):
    square, mask = film
    painted = only_lungs(square, mask)
    assert np.array_equal(painted[mask > 0], square[mask > 0])
    far = np.ones_like(mask, bool)
    far[40:160, 20:200] = False
    assert (painted[far] == PAINT).all()


def test_the_common_field_holds_all_but_rare_lungs(film):
    _, mask = film
    rare = np.zeros_like(mask)
    rare[0:9] = 255
    assert np.array_equal(common_field([mask] * 49 + [rare]), (mask > 0) | (rare > 0))
    assert np.array_equal(common_field([mask] * 99 + [rare]), mask > 0)


def test_the_painted_field_is_gone_and_nothing_else(film):
    square, mask = film
    painted = paint_field(np.stack([square, 255 - square]), mask > 0)
    assert (painted[:, mask > 0] == PAINT).all() and painted.dtype == np.uint8
    assert (painted[0, mask == 0] == 200).all() and (painted[1, mask == 0] == 55).all()


def test_boxed_lungs_no_lung_is_left_and_no_outline(film):
    square, mask = film
    painted = boxed_lungs(square, mask)
    assert (painted[mask > 0] == PAINT).all()
    assert (painted[50:70, 30:40] == PAINT).all()  # the notch is not to be seen
    assert (painted[:, 105:115] == 200).all()  # what lies between stays


def test_heat_is_shared_where_both_maps_have_it():
    heat = np.array([[0, 2, -5], [0, 2, 0]], np.float32)
    assert heat_shared(heat, 3 * heat) == pytest.approx(1)  # however strong
    assert heat_shared(heat, heat[:, ::-1]) == pytest.approx(1)  # its middle column alone is warm
    assert heat_shared(heat, np.roll(heat, 1, axis=1)) == pytest.approx(0)
    half = np.array([[1, 1, 0], [1, 1, 0]], np.float32)
    assert heat_shared(heat, half) == pytest.approx(0.5)
    assert heat_shared(heat, -np.abs(heat)) == 0  # none for pneumonia


def test_heat_inside_and_outside(film):
    _, mask = film
    heat = np.full((14, 14), -1.0, np.float32)
    heat[6, 10] = 5.0
    share, peak = heat_in_lungs(heat, mask)
    assert share > 0.95 and peak
    heat = np.zeros((14, 14), np.float32)
    heat[13, 0] = 1.0
    assert heat_in_lungs(heat, mask) == (0.0, False)
    share, _ = heat_in_lungs(np.ones((14, 14), np.float32), mask)
    assert share == pytest.approx((mask > 0).mean())
    assert heat_in_lungs(-np.ones((14, 14), np.float32), mask)[0] == 0.0
