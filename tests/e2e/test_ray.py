"""predict --engine ray: the records are those of one machine, also when a node dies half-way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow
pytest.importorskip("ray", reason="the extra ray is not installed")


def command(ward: Path, output: Path, *more: str) -> list:
    words = ["predict", ward, "--model", "cnn", "--format", "jsonl", "--output", output]
    return [sys.executable, "-m", "pneumo", *words, *more]


def records(path: Path) -> list[dict]:
    found = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: value for name, value in one.items() if name != "seconds"} for one in found]


def test_a_cluster_gives_the_same_records_though_a_node_is_killed(images, tmp_path):
    from ray.cluster_utils import Cluster

    ward = tmp_path / "ward"
    ward.mkdir()
    content = (images / "image-0.png").read_bytes()
    for number in range(160):
        (ward / f"{number:03}.png").write_bytes(content if number % 10 else b"no image")
    assert subprocess.run(command(ward, tmp_path / "local"), cwd=ROOT).returncode == 1
    node = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    try:
        doomed = cluster.add_node(num_cpus=1, object_store_memory=80 << 20)
        words = command(ward, tmp_path / "ray", "--engine", "ray")
        process = subprocess.Popen(
            words, cwd=ROOT, env=os.environ | {"RAY_ADDRESS": cluster.address}
        )
        partial = tmp_path / "ray.partial"
        while process.poll() is None and not (partial.exists() and partial.stat().st_size):
            time.sleep(0.05)
        assert process.poll() is None  # not done yet
        cluster.remove_node(doomed, allow_graceful=False)
        assert process.wait(300) == 1  # as some files are no images
    finally:
        cluster.shutdown()
    assert records(tmp_path / "ray") == records(tmp_path / "local")
