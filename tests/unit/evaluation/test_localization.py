"""Localization on images whose answer is known: a map that follows, and one that says nothing."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from pneumo.evaluation import localization
from pneumo.models.networks import Network
from pneumo.models.preprocess import Preprocessing

SIDE = 128


class Follows(Network):
    """Evidence wherever a lung is bright."""

    name, title = "follows", "Follows"

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.avg_pool2d(x, 16)

    def head(self, f: torch.Tensor) -> torch.Tensor:
        return f.mean((1, 2, 3))


class Constant(Follows):
    """As much evidence, always in the same place."""

    name, title = "constant", "Constant"

    def features(self, x: torch.Tensor) -> torch.Tensor:
        there = torch.zeros_like(super().features(x))
        there[:, :, 4, 2] = x.mean((1, 2, 3))[:, None] + 2
        return there


FOLLOWS, CONSTANT = (
    partial(localization.maps_of, network, Preprocessing(SIDE))
    for network in (Follows(), Constant())
)


@pytest.fixture(scope="module")
def images() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Squares, labels and lungs of eight images: dark surroundings, lungs bright in pneumonias."""
    labels = np.arange(8) % 2
    lungs = np.zeros((8, SIDE, SIDE), np.uint8)
    lungs[:, 20:110, 16:56] = lungs[:, 20:110, 72:112] = 255
    squares = np.zeros_like(lungs)
    squares[lungs > 0] = np.repeat(np.where(labels, 220, 30), 2 * 90 * 40)
    return squares, labels, lungs


def value(table: localization.Table, name: str) -> float:
    return table[name].network.value


def test_composites_tell_a_map_that_follows_from_one_that_does_not(images):
    good = localization.composites_table(FOLLOWS, *images)
    bad = localization.composites_table(CONSTANT, *images)
    assert value(good, "composites_share") > 0.9 and value(good, "composites_right") == 1
    assert value(bad, "composites_share") == pytest.approx(0.5, abs=0.02)
    constant = good["composites_share"].constant_map
    assert constant is not None and constant.value == pytest.approx(0.5, abs=0.05)
