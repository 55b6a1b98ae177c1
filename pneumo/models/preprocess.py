"""The one way from a radiograph's pixels to a network's input, in training and serving alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:  # cards need this class, and do without torch
    import torch

LARGEST_SIDE = 2048


@dataclass(frozen=True)
class Preprocessing:
    """A network's input, in every card: side in pixels, and mean and divisor of greys from 0 to 1.

    The defaults are ImageNet's, averaged over colours. A ValueError for one out of its range.
    """

    size: int = 224
    mean: float = 0.449
    std: float = 0.226

    def __post_init__(self) -> None:
        if not 1 <= self.size <= LARGEST_SIDE:
            raise ValueError(f"The size must be 1 to {LARGEST_SIDE} pixels, not {self.size}.")
        if not (math.isfinite(self.mean) and 0 < self.std < math.inf):
            raise ValueError(
                f"The mean must be finite and std above 0, not {self.mean}, {self.std}."
            )

    def square(self, pixels: np.ndarray) -> np.ndarray:
        """Resize uint8 (H, W) to (size, size) with antialiasing; squashed, never cropped.

        A ValueError for any other array.
        """
        if pixels.ndim != 2 or pixels.dtype != np.uint8:
            raise ValueError(f"expected uint8 (H, W), got {pixels.dtype} {pixels.shape}")
        if pixels.shape == (self.size, self.size):
            return pixels
        # reducing_gap: large images shrink by whole blocks first, ten times faster, same result.
        side = (self.size, self.size)
        bilinear = Image.Resampling.BILINEAR
        return np.asarray(Image.fromarray(pixels).resize(side, bilinear, reducing_gap=3.0))

    def values(self, squares: np.ndarray) -> np.ndarray:
        """Normalize squares, uint8 (S, S) or (N, S, S) of any side, to float32 (N, 1, S, S)."""
        values = np.asarray(squares, np.float32) / 255 - np.float32(self.mean)
        values /= np.float32(self.std)
        return values.reshape(-1, 1, *values.shape[-2:])

    def tensor(self, squares: np.ndarray) -> torch.Tensor:
        """The same values for PyTorch."""
        import torch

        return torch.from_numpy(self.values(squares))

    def __call__(self, pixels: np.ndarray) -> torch.Tensor:
        """Both steps for one radiograph: uint8 (H, W) to float32 (1, 1, size, size)."""
        return self.tensor(self.square(pixels))
