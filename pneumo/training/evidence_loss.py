"""A second loss: the share of a film's evidence that lies outside its lungs or denies its label."""

from __future__ import annotations

import torch
from torch.nn import functional


def evidence_misplaced(
    heat: torch.Tensor, lungs: torch.Tensor, labels: torch.Tensor, wrong_sign: float = 0.0,
    fine: int = 1, halves: torch.Tensor | None = None, ill: torch.Tensor | None = None,
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
        halves: int64, (H,), places of films of two halves (`halves`), one of them ill; evidence
            for pneumonia in the other is misplaced, too. None: there are no such films.
        ill: float, (H, 1, S, S), the lungs of their ill halves.

    Returns:
        scalar from 0 (all inside) to 1.
    """
    if fine > 1:
        heat = functional.interpolate(
            heat[:, None], scale_factor=fine, mode="bilinear", align_corners=False
        ).squeeze(1)

    def beside(fields: torch.Tensor) -> torch.Tensor:
        inside = functional.adaptive_avg_pool2d(fields, heat.shape[-2:]).squeeze(1)
        return 1 - (inside if fine > 1 else torch.clamp(2 * inside, max=1))

    outside, strength = beside(lungs), heat.abs()
    sign = (2 * (labels > 0.5) - 1)[:, None, None]
    denying = functional.relu(-sign * heat) * (1 - outside)
    misplaced = (strength * outside + wrong_sign * denying).sum((1, 2))
    if halves is not None and len(halves):
        healthy = functional.relu(beside(ill) - outside[halves])
        # Evidence against pneumonia, though, denies nothing there.
        change = functional.relu(heat[halves]) - wrong_sign * functional.relu(-heat[halves])
        misplaced = misplaced.index_add(0, halves, (change * healthy).sum((1, 2)))
    share = misplaced / (strength.sum((1, 2)) + 1e-6)
    return share.mean()
