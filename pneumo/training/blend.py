"""Weights between two stages of one training, which can be better than either."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

import torch
from torch import nn


def blended(network: nn.Module, earlier: Mapping[str, torch.Tensor], share: float) -> nn.Module:
    """A copy of a network, part of the way back to the weights it was trained on from.

    After Wortsman et al. 2022, "Robust fine-tuning of zero-shot models". One network comes of it,
    not an ensemble. The statistics of batch normalisation are blended as the weights are.

    Args:
        network: trained from `earlier`.
        earlier: its state dict then.
        share: of the earlier weights, 0 to 1.
    """
    result = deepcopy(network)
    later = result.state_dict()
    result.load_state_dict({
        name: torch.lerp(value, earlier[name].to(value), share)
        if value.is_floating_point() else value
        for name, value in later.items()
    })
    return result
