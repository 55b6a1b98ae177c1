"""Layers whose answer depends on all films of a step, when several processes share the step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from pneumo.training.processes import Processes


@dataclass
class Place:
    """Where this process's films stand in the step: from `start` on, of `films` in all."""

    start: int = 0
    films: int = 0


def share_layers(network: nn.Module, processes: Processes, place: Place) -> nn.Module:
    """Make batch normalisation and dropout those of the whole step.

    Args:
        network: changed in place; parameters, buffers and their names stay.
        processes: unless there are several, nothing is changed.
        place: read by dropout at every step.

    Returns:
        the network.
    """
    if not processes.together:
        return network
    if processes.device.type == "cuda":
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    else:
        # torch's own works on accelerators only.
        _replace(network, nn.BatchNorm2d, SharedBatchNorm2d.taking_over)
    _replace(network, nn.Dropout, lambda layer: SharedDropout(layer.p, place))
    return network


def _replace(network: nn.Module, kind: type[nn.Module], make) -> None:
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is kind:
                setattr(parent, name, make(child).train(child.training))


class SharedDropout(nn.Module):
    """Dropout that drops in each film what one process alone would drop.

    Args:
        p: probability of dropping.
        place: where the films stand in the step.
    """

    def __init__(self, p: float, place: Place) -> None:
        super().__init__()
        self.p, self.place = p, place

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, ...) to the same shape; every process draws for all films and uses its part."""
        if not self.training:
            return x
        kept = functional.dropout(x.new_ones(self.place.films, *x.shape[1:]), self.p)
        return x * kept[self.place.start : self.place.start + len(x)]


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation (Ioffe and Szegedy 2015) with the statistics of all processes."""

    @classmethod
    def taking_over(cls, layer: nn.BatchNorm2d) -> SharedBatchNorm2d:
        """One that shares parameters and buffers with a plain layer."""
        shared = cls(layer.num_features, layer.eps, layer.momentum)
        shared.weight, shared.bias = layer.weight, layer.bias
        for name, buffer in layer.named_buffers():
            setattr(shared, name, buffer)
        return shared

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to the same shape; N may differ between processes."""
        if not self.training:
            return super().forward(x)
        y, mean, variance, count = _Normalise.apply(x, self.weight, self.bias, self.eps)
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        return y


class _Normalise(torch.autograd.Function):
    """Normalises by sums over all processes, and takes them into account on the way back."""

    @staticmethod
    def forward(ctx, x, weight, bias, eps):
        # Of bfloat16 films too in the precision of the weights, as torch's own layer takes them.
        exact = x.to(weight.dtype)
        variance, mean = (v.double() for v in torch.var_mean(exact, (0, 2, 3), correction=0))
        count = x.numel() // x.shape[1]
        # In double precision: a variance from a sum of squares loses digits.
        sums = torch.stack([torch.ones_like(mean), mean, variance + mean**2]) * count
        distributed.all_reduce(sums)
        count, mean, square = sums[0, 0], sums[1] / sums[0], sums[2] / sums[0]
        variance = (square - mean**2).clamp_(min=0).to(weight.dtype)
        mean, count = mean.to(weight.dtype), count.to(weight.dtype)
        ctx.save_for_backward(x, weight, mean, variance, count)
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, variance, count)
        y = functional.batch_norm(x, mean, variance, weight, bias, training=False, eps=eps)
        return y, mean, variance, count

    @staticmethod
    @once_differentiable  # a second derivative would be wrong in silence
    def backward(ctx, dy, *_):
        x, weight, mean, variance, count = ctx.saved_tensors
        # As if mean and variance were constants; this process's part for weight and bias.
        dx, dweight, dbias = torch.ops.aten.native_batch_norm_backward(
            dy, x, weight, mean, variance, None, None, False, ctx.eps, (True, True, True)
        )
        sums = torch.stack([dweight, dbias])
        distributed.all_reduce(sums)
        scale = weight * (variance + ctx.eps).rsqrt()
        slope = scale * (variance + ctx.eps).rsqrt() * sums[0] / count
        shift = scale * sums[1] / count - slope * mean
        shape = (1, -1, 1, 1)
        dx = dx - shift.view(shape) - x * slope.view(shape)
        return dx.to(x.dtype), dweight, dbias, None
