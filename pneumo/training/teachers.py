"""Trained networks whose answers a network learns beside the labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from pneumo.models.checkpoint import Checkpoint, load


class Committee(nn.Module):
    """Several networks that answer as one: with the mean of their probabilities.

    Lakshminarayanan, Pritzel and Blundell 2017, "Simple and scalable predictive uncertainty
    estimation using deep ensembles". It teaches; people are shown one network alone.

    Args:
        networks: at least one, each giving logits (N,).
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(networks)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The logit of the mean probability: float32 (N, 1, S, S) to float32 (N,)."""
        answers = torch.stack([member(x).float().sigmoid() for member in self.members])
        return torch.logit(answers.mean(0), eps=1e-6)


def load_teachers(cards: Sequence[Path]) -> tuple[Checkpoint, ...]:
    """The checkpoints of these cards (json).

    Raises:
        CheckpointError: with a sentence, when one must not be used.
    """
    return tuple(load(card.stem, card.parent) for card in cards)
