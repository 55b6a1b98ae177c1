"""The loss of a step: is the prediction right, and does its evidence lie where the disease is?

Evidence is signed, (N, h, w), and sums to the logit less the bias; masks are shares of its cells.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from pneumo.models.networks import Network
from pneumo.reading.explanation import evidence as evidence_of
from pneumo.reading.explanation import evidence_map
from pneumo.training.recipe import Recipe


def outside_share(evidence: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
    """Mean share of |evidence| outside the lungs ("right for the right reasons", Ross et al. 2017).

    `allowed` is the share of each cell, (N, h, w), that is lung; half a cell is lung enough.
    """
    strength = evidence.abs()
    outside = strength * (1 - (2 * allowed).clamp(max=1))
    return (outside.sum((1, 2)) / (strength.sum((1, 2)) + 1e-6)).mean()


def location_loss(
    evidence: torch.Tensor, disease: torch.Tensor, allowed: torch.Tensor
) -> torch.Tensor:
    """Mean of -log(share of the positive evidence in the lungs that lies in the known disease)."""
    # Softened, so that the loss has a slope where the disease has no positive evidence yet.
    positive = functional.softplus(evidence * evidence[0].numel())
    inside = (positive * disease).sum((1, 2))
    everywhere = (positive * torch.maximum(allowed, disease)).sum((1, 2))
    return -torch.log(inside / (everywhere + 1e-6) + 1e-4).mean()


def side_loss(evidence: torch.Tensor, disease: torch.Tensor, healthy: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of telling, by the map alone, which of two hemithoraces is diseased."""
    return functional.softplus(-(evidence * (disease - healthy)).sum((1, 2))).mean()


def map_loss(
    logits: torch.Tensor, evidence: torch.Tensor, others: torch.Tensor, maps: torch.Tensor
) -> torch.Tensor:
    """How unlike a teacher's logits (N,) and maps (N, h, w) these are: smooth L1, summed over the
    cells (Hinton, Vinyals and Dean 2015; for maps Zagoruyko and Komodakis 2017)."""

    def shares(logits: torch.Tensor, evidence: torch.Tensor) -> torch.Tensor:
        """Each cell's evidence and its share of the bias: they sum to the logit."""
        bias = (logits - evidence.sum((1, 2)))[:, None, None]
        return evidence + bias / evidence[0].numel()

    one, other = shares(logits, evidence), shares(others, maps)
    return functional.smooth_l1_loss(one, other, reduction="sum", beta=0.05) / len(one)


class StepLoss(nn.Module):
    """Cross-entropy and, weighted, the losses on the place of the evidence.

    A module, since DistributedDataParallel wraps the forward pass of one.
    """

    def __init__(self, network: Network, recipe: Recipe, teacher: Network | None = None) -> None:
        super().__init__()
        self.network, self.recipe, self.teacher = network, recipe, teacher

    def forward(self, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss of a batch of `TrainingImages`, and detached (4,): loss, cross-entropy, share of
        evidence outside the lungs, and location loss (nan where no disease has a known place)."""
        recipe = self.recipe
        targets = batch["target"]
        targets = targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / 2
        features = self.network.features(batch["image"])
        logits, evidence = evidence_map(self.network, features, differentiable=True)
        entropy = functional.binary_cross_entropy_with_logits(logits, targets)
        cells = (evidence.shape[-2], evidence.shape[-1])
        masks = {
            name: functional.adaptive_avg_pool2d(batch[name], cells)
            for name in ("allowed", "disease", "healthy")
        }
        outside = outside_share(evidence, masks["allowed"])
        loss = entropy + recipe.outside_weight * outside
        if self.teacher is not None:
            unlike = map_loss(logits, evidence, *evidence_of(self.teacher, batch["image"]))
            loss = loss + recipe.teacher_weight * unlike
        located = masks["disease"].amax((1, 2)) > 0
        location = torch.full_like(entropy, torch.nan)
        if located.any():
            disease, allowed = masks["disease"][located], masks["allowed"][located]
            location = location_loss(evidence[located], disease, allowed)
            # Over the whole batch: a lone composite weighs as much as each of many.
            loss = loss + recipe.location_weight * location * located.float().mean()
        sided = masks["healthy"].amax((1, 2)) > 0
        if sided.any():
            side = side_loss(evidence[sided], masks["disease"][sided], masks["healthy"][sided])
            loss = loss + recipe.side_weight * side * sided.float().mean()
        return loss, torch.stack([loss, entropy, outside, location]).detach()
