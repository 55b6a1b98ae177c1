"""Weights between those of several moments of one training, which can be better than any."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

import torch
from torch import nn


class MovingAverage(nn.Module):
    """An exponential moving average of a network's weights and statistics.

    What torch's `AveragedModel` computes, and its state dict, in a third of the time: that looks
    for every tensor anew in each step, and averages whole numbers (counts of batches) one by one.

    Args:
        network: copied; the first update takes its weights as they are then.
        decay: share that the average keeps of itself in every update.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self.module, self.decay = deepcopy(network), decay
        self.register_buffer("n_averaged", torch.tensor(0))
        self._pairs: tuple[list[torch.Tensor], ...] = ()

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take the weights of a step in.

        Args:
            network: the same one every time; what it holds is changed in place, never replaced.
        """
        if not self._pairs:
            mine, theirs = (
                [x.detach() for x in (*one.parameters(), *one.buffers())]
                for one in (self.module, network))
            real = [x.is_floating_point() for x in mine]
            self._pairs = tuple(
                [x for x, is_real in zip(tensors, real, strict=True) if is_real == wanted]
                for wanted in (True, False) for tensors in (mine, theirs))
        averaged, current, counts, current_counts = self._pairs
        share = 1 - self.decay if self.n_averaged else 1.0
        torch._foreach_lerp_(averaged, current, share)
        torch._foreach_copy_(counts, current_counts)
        self.n_averaged += 1


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
