"""Trained networks whose answers a network learns beside the labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from pneumo.data.dataset import DataError
from pneumo.models.checkpoint import Checkpoint, load
from pneumo.models.preprocess import Preprocessing
from pneumo.training.recipe import Recipe


class Committee(nn.Module):
    """Several networks that answer as one: with the mean of their probabilities.

    Lakshminarayanan, Pritzel and Blundell 2017, "Simple and scalable predictive uncertainty
    estimation using deep ensembles". It teaches; people are shown one network alone.

    Args:
        networks: at least one, each giving logits (N,).
        sizes: side of the films that each was made for, pixels; each sees films of that side.
    """

    def __init__(self, networks: Sequence[nn.Module], sizes: Sequence[int]) -> None:
        super().__init__()
        self.members, self.sizes = nn.ModuleList(networks), tuple(sizes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The logit of the mean probability: float32 (N, 1, S, S) to float32 (N,)."""
        answers = torch.stack([
            member(of_side(x, size)).float().sigmoid()
            for member, size in zip(self.members, self.sizes, strict=True)
        ])
        return torch.logit(answers.mean(0), eps=1e-6)


def of_side(films: torch.Tensor, side: int) -> torch.Tensor:
    """Films (N, 1, S, S) of another side, resized as `Preprocessing.square` does, antialiased."""
    if films.shape[-1] == side:
        return films
    return functional.interpolate(
        films, size=(side, side), mode="bilinear", align_corners=False, antialias=True)


def load_teachers(
    cards: Sequence[Path], recipe: Recipe, fingerprint: str, preprocessing: Preprocessing
) -> tuple[Checkpoint, ...]:
    """The checkpoints of these cards (json), which may teach a run.

    Args:
        cards: of the teachers.
        recipe: of the run.
        fingerprint: of the run's train films.
        preprocessing: of the run's network.

    Raises:
        CheckpointError: with a sentence, when one must not be used.
        DataError: with a sentence, when one was trained on other films, on films that the run
            holds out for validation, or reads films in another way.
    """
    teachers = tuple(load(card.stem, card.parent) for card in cards)
    for path, one in zip(cards, teachers, strict=True):
        taught, data = one.card["training"].get("recipe", {}), one.card.get("data", {})
        for what, theirs, mine in (
            ("fingerprint of the train films", data.get("fingerprint"), fingerprint),
            ("number of folds", taught.get("folds"), recipe.folds),
            ("fold", taught.get("fold"), recipe.fold),
            # Not the size: a committee resizes films to each one's own.
            ("mean", one.preprocessing.mean, preprocessing.mean),
            ("std", one.preprocessing.std, preprocessing.std),
        ):
            if theirs is not None and theirs != mine:
                raise DataError(
                    f"{path} may not teach this run: its {what} is {theirs}, not {mine}. A "
                    "teacher that knows films held out for validation would make it worthless."
                )
    return teachers


def told_of(teacher: Checkpoint) -> dict:
    """What a card says of a teacher: name, seed and the sha256 of its weights."""
    seed = teacher.card["training"].get("recipe", {}).get("seed")
    return {"name": teacher.name, "seed": seed, "sha256": teacher.weights_sha256}
