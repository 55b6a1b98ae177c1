"""Keeps glibc from giving a step's tensors back to the system, only to ask for them again."""

from __future__ import annotations

import ctypes
import os
import platform

# Of glibc's malloc.h: mallopt's parameters.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
_TOP_PAD = 500_000_000
_MALLOC_VARIABLES = (
    "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_",
)


def keep_freed_memory() -> bool:
    """Let freed memory stay with this process; for training on a CPU.

    glibc maps every large tensor anew and unmaps it when it is freed, so each step pays for
    hundreds of megabytes of zeroed pages: 15 to 35 % of the time of training. Once called, large
    tensors come from the heap, and the heap never shrinks. The process keeps the memory of its
    largest moment, which is what it needs in every step.

    Returns:
        whether glibc obeyed. Nothing is done where the C library is another one, or where the
        person has chosen otherwise by GLIBC_TUNABLES or a MALLOC_ variable.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    if "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    if any(name in os.environ for name in _MALLOC_VARIABLES):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    # No mapping for single blocks; no trimming; grow in large strides.
    wanted = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, -1), (_M_TOP_PAD, _TOP_PAD))
    obeyed = [mallopt(parameter, value) == 1 for parameter, value in wanted]
    return all(obeyed)
