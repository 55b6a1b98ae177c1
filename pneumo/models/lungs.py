"""The lung segmenter: which pixels of a radiograph are lung; for training, evaluation and screen.

Its weights are bundled, `checkpoints/lungs.safetensors`; `tools/train_segmenter.py` makes them.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from pneumo.models.preprocess import Preprocessing

PREPROCESSING = Preprocessing(size=112)
# Fields smaller than this share of the radiograph are islands, not lungs.
ISLAND = 1 / 100
# Each lung has at least this share; smaller on one side means that no lung was found there.
SMALLEST_LUNG = 1 / 50


class LungSegmenter(nn.Module):
    """A U-Net (Ronneberger et al. 2015) of three levels, 16, 32 and 64 channels wide."""

    def __init__(self) -> None:
        super().__init__()
        widths = (16, 32, 64)
        self.down = nn.ModuleList(
            _block(i, o) for i, o in zip((1, *widths[:-1]), widths, strict=True)
        )
        self.bottom = _block(64, 64)
        self.up = nn.ModuleList(_block(i + o, o) for i, o in ((64, 64), (64, 32), (32, 16)))
        self.out = nn.Conv2d(16, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of lung: (N, 1, S, S) to (N, 1, S, S), S a multiple of 8."""
        kept = []
        for block in self.down:
            x = block(x)
            kept.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.bottom(x)
        for block, skip in zip(self.up, reversed(kept), strict=True):
            x = block(torch.cat([functional.interpolate(x, scale_factor=2), skip], 1))
        return self.out(x)


def _block(channels_in: int, channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for first in (channels_in, channels):
        layers += [
            nn.Conv2d(first, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


def load_segmenter(path: Path) -> LungSegmenter:
    """The segmenter with the weights of a safetensors file, in eval mode."""
    segmenter = LungSegmenter()
    weights = {name: value.float() for name, value in load_file(path).items()}
    segmenter.load_state_dict(weights)
    return segmenter.eval()


def find_lungs(segmenter: LungSegmenter, squares: np.ndarray) -> np.ndarray:
    """Lung fields of squares, uint8 (N, S, S): the same, 0 outside and 255 inside, no islands."""
    result = np.empty_like(squares)
    for i in range(0, len(squares), 64):
        small = np.stack([PREPROCESSING.square(s) for s in squares[i : i + 64]])
        with torch.inference_mode():
            probability = segmenter(PREPROCESSING.tensor(small)).sigmoid().squeeze(1).numpy()
        for j, p in enumerate(probability):
            result[i + j] = _field(p, squares.shape[1])
    return result


def both_lungs(lungs: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The two lungs of a field, uint8 (S, S), 0 or 255: bool (S, S) of the lung on the image's left
    (the patient's right) and of the other one; None unless both are found."""
    count, labels, stats, centers = cv2.connectedComponentsWithStats((lungs > 127).astype(np.uint8))
    if count < 2:
        return None
    left, _, width, _ = cv2.boundingRect((lungs > 127).astype(np.uint8))
    middle = left + width / 2
    sides = [np.zeros(lungs.shape, bool), np.zeros(lungs.shape, bool)]
    for k in range(1, count):
        start, wide = stats[k, cv2.CC_STAT_LEFT], stats[k, cv2.CC_STAT_WIDTH]
        part = labels == k
        # Grown together; a lone lung spans all that was found, too, but not half of the image.
        crosses = start < middle - 0.2 * width and start + wide > middle + 0.2 * width
        if crosses and wide > 0.5 * lungs.shape[1]:
            columns = np.arange(lungs.shape[1]) < middle
            sides[0] |= part & columns
            sides[1] |= part & ~columns
        else:
            sides[int(centers[k][0] >= middle)] |= part
    found = min(side.sum() for side in sides) >= SMALLEST_LUNG * lungs.size
    return (sides[0], sides[1]) if found else None


def _field(probability: np.ndarray, side: int) -> np.ndarray:
    large = cv2.resize(probability, (side, side), interpolation=cv2.INTER_LINEAR) > 0.5
    count, labels, stats, _ = cv2.connectedComponentsWithStats(large.astype(np.uint8))
    keep = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] > ISLAND * side * side]
    return (np.isin(labels, keep) * 255).astype(np.uint8)
