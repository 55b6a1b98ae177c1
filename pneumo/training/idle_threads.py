"""Lets the threads of torch's CPU kernels sleep soon when there is nothing for them to do."""

from __future__ import annotations

import os

# Turns of the loop in which a thread of GNU's OpenMP waits for work before it sleeps; 300,000 by
# default, which is milliseconds. This many outlast the gaps between the kernels of a step.
SPIN = 20_000


def sleep_soon() -> None:
    """Free the cores between steps, when films are made on them; for training on a CPU.

    To be called before torch is imported: later it changes nothing.

    A thread that waits in a loop keeps its core from the process that makes films there: a third
    of their time. Whatever the person has chosen stays.
    """
    chosen = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys()
    if not chosen:
        os.environ["GOMP_SPINCOUNT"] = str(SPIN)
