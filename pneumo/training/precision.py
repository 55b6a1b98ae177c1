"""In which precision convolutions are computed while a network trains."""

from __future__ import annotations

import torch

PRECISIONS = ("auto", "bf16", "fp32")


def in_bf16(precision: str, device: torch.device) -> bool:
    """Whether the forward pass of a training step runs under bfloat16 autocast.

    Weights, their gradients and averages, normalisation statistics, the head, the evidence and
    the loss stay float32; so does all that reads films for people.

    Args:
        precision: one of `PRECISIONS`. "auto" takes bfloat16 on CUDA and on processors that
            multiply it in hardware (AVX-512 BF16 or AMX), where a step takes half the time;
            others would emulate it, slower than float32.
        device: that trains.
    """
    if precision != "auto":
        return precision == "bf16"
    if device.type != "cpu":
        return device.type == "cuda"
    # A torch that cannot tell trains in float32.
    flags = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(flags.get("avx512_bf16") or flags.get("amx_bf16"))
