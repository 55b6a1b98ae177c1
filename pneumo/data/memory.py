"""Films in memory: what an epoch draws of them, and a network's logits for all of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from pneumo.data.transforms import generator
from pneumo.models.preprocess import Preprocessing


@dataclass(frozen=True, eq=False)
class Films:
    """Films in memory.

    Attributes:
        squares: uint8, (N, S, S).
        labels: int64, (N,), 1 for pneumonia.
        lungs: index -> uint8 (S, S), 0 or 255: lung fields drawn by people.
        found: the same for other films, found by a network that learned from the drawn ones.
        second: films of the second population, in groups that are drawn alike whatever they are
            sized: index -> name of the group.
    """

    squares: np.ndarray
    labels: np.ndarray
    lungs: dict[int, np.ndarray]
    found: dict[int, np.ndarray] = field(default_factory=dict)
    second: dict[int, str] = field(default_factory=dict)


def epoch_order(films: Films, seed: int, epoch: int, share: float = 0.0) -> np.ndarray:
    """Indices of one epoch: as many as the first population has films, half of each class.

    The rarer class is repeated, the commoner one is cut short; every film of a class is drawn
    before one is drawn again. A `share` of them is drawn from the second population instead, as
    many from each of its groups.
    """
    rng = generator(seed, epoch, 1)
    first = np.array([i not in films.second for i in range(len(films.labels))])
    count = int(first.sum())
    borrowed = round(share * count) if films.second else 0
    pools = [np.flatnonzero(first & (films.labels == label)) for label in (0, 1)]
    wanted = [(count - borrowed) // 2] * 2
    names = sorted(set(films.second.values())) if borrowed else []
    for name in names:
        pools.append(np.array([i for i, group in films.second.items() if group == name]))
        wanted.append(borrowed // len(names))
    picks = []
    for pool, number in zip(pools, wanted, strict=True):
        rounds = -(-number // len(pool))
        picks.append(np.concatenate([rng.permutation(pool) for _ in range(rounds)])[:number])
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
