"""Films in memory: what an epoch draws of them, and a network's logits for all of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from pneumo.models.preprocess import Preprocessing
from pneumo.training.augment import generator


@dataclass(frozen=True, eq=False)
class Films:
    """Films in memory.

    Attributes:
        squares: uint8, (N, S, S).
        labels: int64, (N,), 1 for pneumonia.
        lungs: index -> uint8 (S, S), 0 or 255: lung fields drawn by people.
        found: the same for other films, found by a network that learned from the drawn ones.
    """

    squares: np.ndarray
    labels: np.ndarray
    lungs: dict[int, np.ndarray]
    found: dict[int, np.ndarray] = field(default_factory=dict)


def epoch_order(labels: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """Indices of one epoch: as many as there are films, half of each class, shuffled.

    The rarer class is repeated, the commoner one is cut short; every film of a class is drawn
    before one is drawn again.
    """
    rng = generator(seed, epoch, 1)
    half = len(labels) // 2
    picks = []
    for label in (0, 1):
        pool = np.flatnonzero(labels == label)
        rounds = -(-half // len(pool))
        picks.append(np.concatenate([rng.permutation(pool) for _ in range(rounds)])[:half])
    return rng.permutation(np.concatenate(picks))


def logits(
    network: nn.Module, squares: np.ndarray, preprocessing: Preprocessing, batch: int = 64
) -> np.ndarray:
    """Logits of many films in eval mode: uint8 (N, S, S) to float64 (N,)."""
    network.eval()
    device = next(network.parameters()).device
    with torch.inference_mode():
        parts = [
            network(preprocessing.tensor(squares[i : i + batch]).to(device)).cpu()
            for i in range(0, len(squares), batch)
        ]
    return torch.cat(parts).double().numpy()
