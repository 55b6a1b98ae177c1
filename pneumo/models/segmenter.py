"""The lung segmenter's network; `tools/train_segmenter.py` makes its weights, lungs.safetensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional


class LungSegmenter(nn.Module):
    """A U-Net (Ronneberger et al. 2015) of two levels, 24 and 48 channels wide.

    It works at a quarter of the resolution, on blocks of 4 x 4 pixels as 16 channels, and gives a
    logit for each of the 16 (sub-pixel convolution, Shi et al. 2016).
    """

    def __init__(self) -> None:
        super().__init__()
        widths = (24, 48)
        self.down = nn.ModuleList(
            _block(i, o) for i, o in zip((16, *widths[:-1]), widths, strict=True)
        )
        self.bottom = _block(48, 48)
        self.up = nn.ModuleList(_block(i + o, o) for i, o in ((48, 48), (48, 24)))
        self.out = nn.Conv2d(24, 16, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of lung: (N, 1, S, S) to (N, 1, S, S), S a multiple of 16."""
        kept, x = [], functional.pixel_unshuffle(x, 4)
        for block in self.down:
            x = block(x)
            kept.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.bottom(x)
        for block, skip in zip(self.up, reversed(kept), strict=True):
            x = block(torch.cat([functional.interpolate(x, scale_factor=2), skip], 1))
        return functional.pixel_shuffle(self.out(x), 4)

    def logits(self, values: np.ndarray) -> np.ndarray:
        """The same for arrays, float32, in inference mode."""
        with torch.inference_mode():
            return self(torch.from_numpy(values)).numpy()


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
