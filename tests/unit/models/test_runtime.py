"""The runtime: PyTorch's results without PyTorch, and PyTorch where they would be others."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from pneumo.models import runtime
from pneumo.reading.reader import Reader
from tests.radiographs import synthetic


def test_the_runtime_gives_pytorchs_results(stand_in):
    fast, torch = (
        Reader(stand_in, input_check=False, backend=backend) for backend in ("auto", "torch")
    )
    assert (fast.backend, torch.backend) == ("onnxruntime", "torch")
    for seed in range(3):
        image = synthetic(seed, size=200)
        one, other = fast.predict(image), torch.predict(image)
        assert one.balanced == pytest.approx(other.balanced, abs=1e-4)
        assert one.evidence.dtype == np.float32
        np.testing.assert_allclose(one.evidence, other.evidence, atol=1e-4)
        assert np.mean(one.lungs != other.lungs) < 0.01


@pytest.mark.parametrize("damage", ["other results", "cut off"])
def test_a_graph_that_is_not_as_it_should_be_is_left_for_pytorch(
    stand_in, tmp_path, monkeypatch, caplog, damage
):
    own = replace(stand_in, card=stand_in.card)
    Reader(own, input_check=False)  # the graphs are there
    card = own.card
    path = runtime.graph_path(card.name, card.weights.sha256, card.preprocessing)
    monkeypatch.setenv("PNEUMO_CACHE", str(tmp_path))
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes()[: None if damage == "other results" else 100_000])
    facts = dict(np.load(path.with_suffix(".npz")))
    facts["maps"] = facts["maps"][..., ::-1]  # the logits alone would not tell
    np.savez(copy.with_suffix(".npz"), **facts)
    reader = Reader(own, input_check=False)
    assert reader.backend == "torch" and f"{card.name} runs on PyTorch" in caplog.text
    assert reader.predict(synthetic(1, size=200)).ok
    assert not copy.exists()  # made again at the next start


def test_graphs_that_came_with_a_container_are_used_and_not_made_again(
    stand_in, tmp_path, monkeypatch
):
    card = stand_in.card
    Reader(stand_in, input_check=False)
    own = card.name, card.weights.sha256, card.preprocessing
    made = runtime.graph_path(*own)
    for path in (made, made.with_suffix(".npz")):
        shutil.copy(path, tmp_path)
    monkeypatch.setenv("PNEUMO_CACHE", str(tmp_path))
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "access", lambda *_: False)  # which a root always has
    assert runtime.graph_path(*own).parent == tmp_path
    assert Reader(stand_in, input_check=False).backend == "onnxruntime"
