"""The lung measures on pictures whose answer is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from pneumo.evaluation.localization import (
    PAINT,
    boxed_lungs,
    common_field,
    heat_in_half,
    heat_in_lungs,
    only_lungs,
    paint_field,
    sides,
    told_side,
)
from pneumo.models.preprocess import Preprocessing
from pneumo.reading.decision import Calibration


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


def test_heat_of_one_half(film):
    _, mask = film  # whose middle is column 110, cell 6.9 of 14
    heat = np.zeros((14, 14), np.float32)
    heat[6, 2], heat[6, 11], heat[3, 3] = 3.0, 1.0, -9.0
    assert heat_in_half(heat, mask, True) == pytest.approx(0.75, abs=0.01)
    assert heat_in_half(heat, mask, False) == pytest.approx(0.25, abs=0.01)
    assert heat_in_half(-np.abs(heat), mask, True) == 0  # none for pneumonia


class Spot(nn.Module):
    """Evidence wherever a film is bright; or at one cell, as much as the left or both show."""

    pools = False

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def features(self, x: torch.Tensor) -> torch.Tensor:
        seen = nn.functional.avg_pool2d((x > 0.5).float(), 16)
        if self.kind == "follows":
            return seen
        there = torch.zeros_like(seen)
        there[:, :, 6, 3] = seen[..., :6].sum() if self.kind == "sees the left" else seen.sum()
        return there

    def head(self, f: torch.Tensor) -> torch.Tensor:
        return f.sum((1, 2, 3)) - 1


@pytest.mark.parametrize(("kind", "called", "low", "high"), [
    ("follows", [2, 2], 0.95, 1.0), ("sees both", [2, 2], 0.49, 0.51),
    ("sees the left", [2, 0], None, None),
])
def test_a_map_that_follows_the_film_tells_the_ill_half_and_one_that_does_not_has_chance(
        film, kind, called, low, high):
    square, mask = film
    normal = np.full_like(square, 20)
    ill = np.where(mask > 0, 230, 20).astype(np.uint8)
    reader = SimpleNamespace(
        checkpoint=SimpleNamespace(network=Spot(kind), preprocessing=Preprocessing(224)),
        calibration=Calibration(1.0, 0.0), threshold=0.5,
    )
    y = np.array([1, 0, 1])
    found, interval = told_side(sides(reader, np.stack([ill, normal, ill]), [mask] * 3, y))
    assert (found["two_halves"], found["halves_called"]) == (4, called)
    assert (low is None) == ("heat_in_ill_half" not in found) == (not interval)
    assert low is None or low <= found["heat_in_ill_half"] <= high


def test_heat_in_one_place_has_chance_however_one_sided_the_calls():
    shares = np.array([[1.0, 0.0], [1.0, np.nan], [1.0, np.nan], [np.nan, np.nan]])
    found, interval = told_side(shares)
    assert found["heat_in_ill_half"] == 0.5 and found["halves_called"] == [3, 1]
    assert interval["heat_in_ill_half"] == [0.5, 0.5]


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
