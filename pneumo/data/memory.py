"""Radiographs in memory, and a network's logits for all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from pneumo.models.networks import Network
from pneumo.models.preprocess import Preprocessing


@dataclass(frozen=True, eq=False)
class Images:
    """Radiographs in memory.

    Attributes:
        squares: uint8, (N, S, S).
        labels: int64, (N,), 1 for pneumonia.
        lungs: uint8, (N, S, S), 0 or 255; all 0 where no lungs were found.
        adults: uint8, (M, R, R), synthetic normal adults, and their lungs; or None.
    """

    squares: np.ndarray
    labels: np.ndarray
    lungs: np.ndarray
    adults: tuple[np.ndarray, np.ndarray] | None = None


def logits(
    network: Network, squares: np.ndarray, preprocessing: Preprocessing, batch: int = 64
) -> np.ndarray:
    """Logits, float64 (N,), of squares, uint8 (N, S, S), of any side, in eval mode."""
    network.eval()
    device = next(network.parameters()).device
    parts = []
    with torch.inference_mode():
        for i in range(0, len(squares), batch):
            part = np.stack([preprocessing.square(s) for s in squares[i : i + batch]])
            parts.append(network(preprocessing.tensor(part).to(device)).cpu())
    return torch.cat(parts).double().numpy()
