"""Grad-CAM of any network that has features() and head(): signed evidence for pneumonia."""

from __future__ import annotations

import torch
from torch import nn


def evidence_map(
    network: nn.Module, features: torch.Tensor, *, differentiable: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Grad-CAM before its ReLU (Selvaraju et al. 2017), from the feature map upward only.

    The channel weights are the spatial means of the logit's gradient; nothing below the feature
    map is differentiated and no hook is set. For a head that is global average pooling and a
    linear layer the map's sum is the logit less the bias.

    Args:
        network: of its `head` the gradient is taken; where it `pools` first, by way of the map's
            mean, for then the gradient is the same in every cell.
        features: float32, (N, C, h, w).
        differentiable: keep the graph, for a training loss on the map.

    Returns:
        logits (N,) and map (N, h, w), float32, in units of the logit, not rescaled. Both are
        detached unless `differentiable`.
    """
    with torch.enable_grad():
        f = features if differentiable else features.detach()
        if not f.requires_grad:
            f = f.requires_grad_()
        cells = f.shape[2] * f.shape[3]
        # The map's mean; the way back of torch's own divides every cell of the map.
        seen = f.sum((2, 3), keepdim=True) / cells if network.pools else f
        logits = network.head(seen)
        gradient = torch.autograd.grad(logits.sum(), seen, create_graph=differentiable)[0]
        weights = gradient / cells if network.pools else gradient.mean((2, 3), keepdim=True)
        heat = (weights * f).sum(1)
    return (logits, heat) if differentiable else (logits.detach(), heat.detach())


def evidence(network: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and evidence maps of a batch in one forward pass.

    Args:
        network: in eval mode; has `features` and `head`.
        x: float32, (N, 1, S, S), preprocessed.

    Returns:
        logits (N,) and maps (N, h, w), float32, detached.
    """
    with torch.no_grad():
        features = network.features(x)
    return evidence_map(network, features)
