"""How a device computes while a network trains: in which precision, and the same every time."""

from __future__ import annotations

import os

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


def repeatable(device: torch.device) -> None:
    """Let a CUDA device compute the same every time, and float32 as float32.

    A CPU does both by itself. To be called before the device computes anything; operations that
    know no repeatable way warn once and go on.
    """
    if device.type != "cuda":
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else matrix products vary
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # a debugging aid, and slow
    torch.backends.cudnn.benchmark = False  # may choose another algorithm every time
    # Ten bits of mantissa would decide thresholds that serving, in float32, does not share.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
