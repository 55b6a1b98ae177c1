"""Idle threads of torch's kernels sleep soon, unless the person has chosen otherwise."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pneumo.training.idle_threads import SPIN

ASK = """
import os, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print(os.environ.get("GOMP_SPINCOUNT"), flush=True)
            os._exit(0)  # importing it takes ten times as long as all before

sys.meta_path.insert(0, Watch())
sys.argv = ["x", "benchmark", "training", "--help"]
if START == "train":
    import train
else:
    from pneumo.cli import main
    main()
"""


@pytest.mark.parametrize("start", ["train", "benchmark"])
@pytest.mark.parametrize(("chosen", "expected"), [
    ({}, str(SPIN)), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "None"),
])
def test_it_is_chosen_before_torch_is_imported_and_only_where_nobody_has(
        start, chosen, expected):
    env = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    run = subprocess.run([sys.executable, "-c", f"START = {start!r}\n{ASK}"], env=env | chosen,
                         text=True, capture_output=True, check=True)
    assert run.stdout.split()[0] == expected
