"""Losses on a film's evidence: the share outside its lungs or against its label, and the share that
stays behind when the film is mirrored."""

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
        labels: float, (N,), 1 for pneumonia, 0 for normal.
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
    sign = (2 * labels - 1)[:, None, None]
    denying = functional.relu(-sign * heat) * (1 - outside)
    misplaced = (strength * outside + wrong_sign * denying).sum((1, 2))
    share = misplaced / (strength.sum((1, 2)) + 1e-6)
    return share.mean()


def evidence_unmirrored(heat: torch.Tensor, twins: torch.Tensor) -> torch.Tensor:
    """Mean share of evidence that does not follow when a film is mirrored, differentiable.

    Where evidence lies is to depend on what the film shows there. Without this, a network whose
    cells have all seen the whole film, and can tell their own place by the black beyond its edge,
    may put the evidence of every film in the same lung and please `evidence_misplaced` none the
    less. The transformation-consistency of saliency maps in Wang et al. 2020, "Self-supervised
    equivariant attention mechanism", with one transformation.

    Args:
        heat: float, (N, h, w), signed evidence; each film's counts as a whole, however strong.
        twins: int64, (T,), at least one: places of films that are the mirror image of the film
            before them.

    Returns:
        scalar from 0 (all follows) to 1.
    """
    one, other = (
        part / (part.abs().sum((1, 2), keepdim=True) + 1e-6)
        for part in (heat[twins - 1], heat[twins].flip(2))
    )
    return (one - other).abs().sum((1, 2)).mean() / 2
