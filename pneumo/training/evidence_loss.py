"""A second loss: the share of a film's evidence, for or against, that lies outside its lungs."""

from __future__ import annotations

import torch
from torch.nn import functional


def evidence_outside(heat: torch.Tensor, lungs: torch.Tensor) -> torch.Tensor:
    """Mean share of |evidence| outside the lungs, differentiable in the map.

    In the manner of "right for the right reasons" (Ross et al. 2017), on Grad-CAM instead of the
    input gradient. A share, not a sum: the loss cannot be lowered by saying less.

    Args:
        heat: float, (N, h, w), signed evidence.
        lungs: float, (N, 1, S, S), 1 inside the lungs; a cell of the map counts as lung by the
            share of it that is lung.

    Returns:
        scalar from 0 (all inside) to 1.
    """
    inside = functional.adaptive_avg_pool2d(lungs, heat.shape[-2:]).squeeze(1)
    # Cells on the border hold both; a cell half covered is lung enough.
    outside = 1 - torch.clamp(2 * inside, max=1)
    strength = heat.abs()
    share = (strength * outside).sum((1, 2)) / (strength.sum((1, 2)) + 1e-6)
    return share.mean()
