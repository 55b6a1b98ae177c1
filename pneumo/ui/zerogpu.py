"""Hugging Face ZeroGPU, which starts only apps that have a function for its GPU.

Pneumo analyzes on the CPU there too: that takes a tenth of a second, being lent a GPU takes several
and comes out of the visitor's daily quota. So `device` is declared, and nothing waits for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable


def gpu(function: Callable[[], str]) -> Callable[[], str]:
    """The function as one for ZeroGPU's device where the app runs on it, else as it is."""
    if os.environ.get("SPACES_ZERO_GPU", "").lower() not in ("1", "t", "true"):
        return function
    import spaces  # brought by the Space; it must come before what touches CUDA

    return spaces.GPU(duration=1)(function)


@gpu
def device() -> str:
    """The device that a function on ZeroGPU gets: "cuda", or "cpu" where none is lent."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
