"""The loss of one step: is the answer right, and does its evidence lie where it should?"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from pneumo.reading.explanation import evidence_map
from pneumo.training.batches import Batch
from pneumo.training.evidence_loss import evidence_in_wrong_half, evidence_misplaced
from pneumo.training.processes import Processes
from pneumo.training.recipe import Phase
from pneumo.training.shared_layers import Place


class StepLoss(nn.Module):
    """Cross-entropy plus, weighted, the share of misplaced evidence and the loss on ill halves.

    A module, because DistributedDataParallel watches the forward pass of one.

    Args:
        network: what is trained.
        label_smoothing: targets are s/2 and 1 - s/2.
        processes: that share every step.
        place: told where this process's films stand in the step.
        teacher: a trained network whose answers count beside the labels in phases that ask for
            it; it stays as it is. Of the same preprocessing but for the size, of which it
            takes care itself.
        bf16: whether feature maps, and the teacher's answers, are computed in bfloat16.
    """

    def __init__(
        self, network: nn.Module, label_smoothing: float, processes: Processes, place: Place,
        teacher: nn.Module | None = None, bf16: bool = False,
    ) -> None:
        super().__init__()
        # In a tuple: a teacher is no part of what is trained, averaged or shared.
        self._teacher = (teacher,)
        self.network, self.label_smoothing = network, label_smoothing
        self.processes, self.place, self.bf16 = processes, place, bf16

    def forward(self, batch: Batch, phase: Phase) -> tuple[torch.Tensor, torch.Tensor]:
        """This process's part of the step's loss.

        Args:
            batch: on the network's device.
            phase: how evidence is judged.

        Returns:
            scalar whose gradient, averaged over all processes, is that of the whole step's loss;
            and, detached, (2,): the whole step's loss and share of misplaced evidence, which is
            not a number where no film's evidence was judged.
        """
        self.place.start, self.place.films = batch.start, batch.of
        targets = batch.targets * (1 - self.label_smoothing) + self.label_smoothing / 2
        with torch.autocast(batch.films.device.type, torch.bfloat16, enabled=self.bf16):
            features = self.network.features(batch.films)
        features, misplaced, wrong_half = features.float(), None, None
        if len(batch.judged):
            logits, heat = evidence_map(self.network, features, differentiable=True)
            heat = heat[batch.judged]
            misplaced = evidence_misplaced(
                heat, batch.lungs, batch.targets[batch.judged], phase.wrong_sign, phase.fine)
            if len(batch.halves):
                wrong_half = evidence_in_wrong_half(
                    heat[batch.halves], batch.lungs[batch.halves], batch.ill)
        else:
            logits = self.network.head(features)
        if weight := phase.distil or phase.keep:
            targets = self._taught(batch, targets, weight)
        answer = functional.binary_cross_entropy_with_logits(logits, targets)
        means = (answer, misplaced, wrong_half)
        if self.processes.count > 1:
            counts = (len(batch.films), len(batch.judged), len(batch.halves))
            return self._weighted(means, counts, phase)
        loss = answer
        for mean, weight in zip(means[1:], (phase.evidence, phase.sides), strict=True):
            loss = loss if mean is None else loss + weight * mean
        nothing = torch.full_like(loss, torch.nan)
        return loss, torch.stack([loss, nothing if misplaced is None else misplaced]).detach()

    def _taught(self, batch: Batch, targets: torch.Tensor, weight: float) -> torch.Tensor:
        """Targets drawn towards the teacher's probabilities, but for films with hidden lungs.

        The cross-entropy is linear in its target: this is the weighted sum of both losses.
        """
        (teacher,) = self._teacher
        films = batch.films
        cast = torch.autocast(films.device.type, torch.bfloat16, enabled=self.bf16)
        with torch.no_grad(), cast:
            taught = teacher(films).float().sigmoid()
        taught = (1 - weight) * targets + weight * taught
        return torch.where(batch.targets == 0.5, targets, taught)

    def _weighted(
        self, means: tuple[torch.Tensor | None, ...], counts: tuple[int, ...], phase: Phase
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Weigh means over so many of this process's films by their part of the step's films."""
        answer = means[0]
        means = torch.stack([torch.zeros_like(answer) if one is None else one for one in means])
        counts = answer.new_tensor(counts)
        sums, everyone = self.processes.sum(torch.stack([means.detach() * counts, counts]))
        weights = answer.new_tensor([1.0, phase.evidence, phase.sides])
        parts = counts * self.processes.count / everyone.clamp(min=1)
        whole = (weights * sums / everyone.clamp(min=1)).sum()
        return (weights * parts * means).sum(), torch.stack([whole, sums[1] / everyone[1]])
