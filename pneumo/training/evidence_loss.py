"""Losses on where evidence lies: outside the lungs, against the label, or in the healthy half."""

from __future__ import annotations

import torch
from torch.nn import functional


def evidence_misplaced(
    heat: torch.Tensor, lungs: torch.Tensor, labels: torch.Tensor, wrong_sign: float = 0.0,
    fine: int = 1,
) -> torch.Tensor:
    """Mean share of |evidence| outside the lungs, differentiable in the map.

    In the manner of "right for the right reasons" (Ross et al. 2017), on Grad-CAM instead of the
    input gradient. A share, not a sum: the loss cannot be lowered by saying less.

    Args:
        heat: float, (N, h, w), signed evidence.
        lungs: float, (N, 1, S, S), 1 inside the lungs; a cell of the map counts as lung by the
            share of it that is lung.
        labels: float, (N,), 1 for pneumonia, 0 for normal; what lies between is denied by nothing.
        wrong_sign: how much evidence inside the lungs counts as misplaced when its sign denies
            the label. Without it a network with hidden layers may call a film pneumonia for want
            of evidence against it, and its map then shows nothing.
        fine: with 1, cells of the map are judged, and a cell half covered is lung enough; above 1
            the map is first enlarged so many times, as it is shown, and every part of it counts
            by the share of it that is lung.

    Returns:
        scalar from 0 (all inside) to 1.
    """
    if fine > 1:
        heat = functional.interpolate(
            heat[:, None], scale_factor=fine, mode="bilinear", align_corners=False
        ).squeeze(1)
    inside = functional.adaptive_avg_pool2d(lungs, heat.shape[-2:]).squeeze(1)
    outside = 1 - (inside if fine > 1 else torch.clamp(2 * inside, max=1))
    strength = heat.abs()
    misplaced = strength * outside
    if wrong_sign:
        sign = ((labels == 1).float() - (labels == 0).float())[:, None, None]
        misplaced = misplaced + wrong_sign * functional.relu(-sign * heat) * (1 - outside)
    share = misplaced.sum((1, 2)) / (strength.sum((1, 2)) + 1e-6)
    return share.mean()


def evidence_in_wrong_half(
    heat: torch.Tensor, lungs: torch.Tensor, ill: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy of telling, by the map alone, which half of a film of two halves is ill.

    Each half says as much as the signed evidence in its lungs adds up to; the difference is the
    logit of the ill one. Unlike a share of the evidence it has a slope where one half shows none.
    Without it a network whose cells have all seen the whole film may put the evidence of every
    film in the same place, and please `evidence_misplaced` none the less.

    Args:
        heat: float, (H, h, w), signed evidence in units of the logit.
        lungs: float, (H, 1, S, S), 1 inside the lungs.
        ill: the same, inside those of the ill half alone.

    Returns:
        scalar, ln 2 for a map that does not tell.
    """
    field = functional.adaptive_avg_pool2d(2 * ill - lungs, heat.shape[-2:]).squeeze(1)
    return functional.softplus(-(heat * field).sum((1, 2))).mean()
