"""The loss of one step: is the answer right, and does its evidence lie where it should?"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from pneumo.models.gradcam import evidence_map
from pneumo.training.batches import Batch
from pneumo.training.evidence_loss import evidence_misplaced
from pneumo.training.processes import Processes
from pneumo.training.recipe import Phase
from pneumo.training.shared_layers import Place


class StepLoss(nn.Module):
    """Cross-entropy plus the weighted share of misplaced evidence.

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
        features, share = features.float(), None
        if len(batch.judged):
            logits, heat = evidence_map(self.network.head, features, differentiable=True)
            share = evidence_misplaced(
                heat[batch.judged], batch.lungs, batch.targets[batch.judged], phase.wrong_sign,
                phase.fine, batch.halves, batch.ill,
            )
        else:
            logits = self.network.head(features)
        if phase.distil:
            targets = self._taught(batch, targets, phase.distil)
        answer = functional.binary_cross_entropy_with_logits(logits, targets)
        if self.processes.count > 1:
            return self._weighted(answer, share, batch, phase)
        loss = answer if share is None else answer + phase.evidence * share
        nothing = torch.full_like(loss, torch.nan)
        return loss, torch.stack([loss, nothing if share is None else share]).detach()

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
        self, answer: torch.Tensor, share: torch.Tensor | None, batch: Batch, phase: Phase
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Weigh means over this process's films by how many of the step's films they are."""
        films, judged, count = len(batch.films), len(batch.judged), self.processes.count
        share = torch.zeros_like(answer) if share is None else share
        part = torch.stack([answer * films, share * judged, share.new_tensor(judged)]).detach()
        answers, shares, all_judged = self.processes.sum(part)
        loss = answer * (films / batch.of * count)
        loss = loss + phase.evidence * share * (judged * count / all_judged.clamp(min=1))
        misplaced = shares / all_judged  # 0 / 0: not a number
        whole = answers / batch.of + phase.evidence * torch.nan_to_num(misplaced, nan=0.0)
        # What is not finite must show, wherever it comes from.
        whole = torch.where(shares.isfinite(), whole, shares)
        return loss, torch.stack([whole, misplaced])
