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


def test_composites_tell_a_map_that_follows_from_one_that_does_not():
    labels = np.arange(8) % 2
    lungs = np.zeros((8, SIDE, SIDE), np.uint8)
    lungs[:, 20:110, 16:56] = lungs[:, 20:110, 72:112] = 255
    # Dark surroundings, lungs bright in pneumonias.
    squares = np.zeros_like(lungs)
    squares[lungs > 0] = np.repeat(np.where(labels, 220, 30), 2 * 90 * 40)
    good, bad = (
        localization.composites_table(
            partial(localization.maps_of, network, Preprocessing(SIDE)), squares, labels, lungs
        )
        for network in (Follows(), Constant())
    )
    assert good["composites_share"].network.value > 0.9
    assert good["composites_right"].network.value == 1
    assert bad["composites_share"].network.value == pytest.approx(0.5, abs=0.02)
    constant = good["composites_share"].constant_map
    assert constant is not None and constant.value == pytest.approx(0.5, abs=0.05)
