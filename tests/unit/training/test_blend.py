"""Averaged weights: what torch's own class computes, from the same state."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pneumo.training.blend import MovingAverage


def a_network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 2))


def trained(network: nn.Module, average, steps: int) -> None:
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.05, fused=True)
    for _ in range(steps):
        network(torch.randn(5, 1, 8, 8)).square().mean().backward()
        optimiser.step()
        average(network)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_it_is_the_average_torch_computes(layout):
    torch.manual_seed(0)
    network = a_network().to(memory_format=layout)
    theirs = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
    mine = MovingAverage(network, 0.9)
    assert mine.state_dict().keys() == theirs.state_dict().keys()
    trained(network, lambda net: (mine.update(net), theirs.update_parameters(net)), 7)
    for name, value in theirs.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(mine.state_dict()[name], value, msg=name)
    assert mine.n_averaged == 7 and mine.module[1].num_batches_tracked == 7
    assert not torch.equal(mine.module[0].weight, network[0].weight)


def test_the_first_update_takes_the_weights_as_they_are():
    network = a_network()
    average = MovingAverage(network, 0.9)
    trained(network, average.update, 1)
    for mine, current in zip(average.module.parameters(), network.parameters(), strict=True):
        assert torch.equal(mine, current) and mine is not current


def test_a_resumed_average_goes_on_where_it_was():
    torch.manual_seed(1)
    network = a_network()
    average = MovingAverage(network, 0.9)
    trained(network, average.update, 2)
    again = MovingAverage(deepcopy(network), 0.9)
    trained(network, again.update, 1)
    again.load_state_dict(average.state_dict())  # into tensors it has already looked up
    for one in (average, again):
        one.update(network)
    for name, value in average.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name
