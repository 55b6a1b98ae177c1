"""Freed memory stays with a process that asked for it, and nothing happens where it must not."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

# Prints whether glibc obeyed, and how many MB of 200 a process still has after freeing them.
FREED = """
import numpy as np
from pneumo.training.allocator import keep_freed_memory
obeyed = {call}
def held():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * {page} / 1e6
before = held()
blocks = [np.ones(6_250_000) for _ in range(4)]
del blocks
print(obeyed, held() - before)
"""


def after_freeing(call: str, **env: str) -> tuple[str, float]:
    code = FREED.format(call=call, page=os.sysconf("SC_PAGESIZE"))
    run = subprocess.run([sys.executable, "-c", code], env={**os.environ, **env}, check=True,
                         capture_output=True, text=True)
    obeyed, kept = run.stdout.split()
    return obeyed, float(kept)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_freed_memory_stays():
    obeyed, kept = after_freeing("keep_freed_memory()")
    assert obeyed == "True" and kept > 150
    assert after_freeing("None")[1] < 50  # else there was nothing to mend


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_what_the_person_chose_stays():
    chosen = {"GLIBC_TUNABLES": "glibc.malloc.trim_threshold=1000000"}
    obeyed, kept = after_freeing("keep_freed_memory()", **chosen)
    assert obeyed == "False" and kept < 50


def test_another_c_library_is_left_alone(monkeypatch):
    from pneumo.training import allocator

    monkeypatch.setattr(allocator.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: pytest.fail("loaded"))
    assert allocator.keep_freed_memory() is False
