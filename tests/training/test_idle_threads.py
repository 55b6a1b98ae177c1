"""Idle threads of torch's kernels sleep soon, unless the person has chosen otherwise."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pneumo.training.idle_threads import SPIN

ASK = ("import os, train, sys; print(os.environ.get('GOMP_SPINCOUNT'), "
       "train.sleep_soon(), 'torch' in sys.modules)")


@pytest.mark.parametrize(("chosen", "expected"), [
    ({}, str(SPIN)), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "None"),
])
def test_train_chooses_before_torch_is_imported_and_only_where_nobody_has(chosen, expected):
    env = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    run = subprocess.run([sys.executable, "-c", ASK], env=env | chosen, text=True,
                         capture_output=True, check=True)
    assert run.stdout.split() == [expected, "False", "True"]  # later it would be too late


def test_it_is_in_time_before_torch():
    ask = "from pneumo.training.idle_threads import sleep_soon; print(sleep_soon())"
    run = subprocess.run([sys.executable, "-c", ask], text=True, capture_output=True, check=True)
    assert run.stdout.strip() == "True"
