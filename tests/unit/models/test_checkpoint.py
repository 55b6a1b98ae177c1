"""Checkpoints: what is saved comes back, and everything doubtful is refused with a reason."""

from __future__ import annotations

import json
import pickle
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from pneumo.models.checkpoint import CheckpointError, available_models, load, read_card


@pytest.fixture
def folder(stand_ins, tmp_path):
    for part in ("cnn.json", "cnn.safetensors"):
        shutil.copy(stand_ins / part, tmp_path)
    return tmp_path


def refusal(folder) -> str:
    with pytest.raises(CheckpointError) as error:
        load("cnn", folder)
    return str(error.value)


def test_saved_network_loads_as_it_was(folder):
    checkpoint = load("cnn", folder)
    stored = load_file(folder / "cnn.safetensors")
    for name, value in checkpoint.network.state_dict().items():
        assert torch.equal(value, stored[name].to(value.dtype))
    assert not checkpoint.network.training
    assert checkpoint.weights_sha256 == checkpoint.card["weights"]["sha256"]
    assert available_models(folder) == ("cnn",)


def test_other_weights_than_the_cards(folder):
    state = load_file(folder / "cnn.safetensors")
    state["classifier.4.bias"] += 1
    save_file(state, folder / "cnn.safetensors")
    assert "not the ones its card describes" in refusal(folder)


def test_lfs_pointer(folder):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    (folder / "cnn.safetensors").write_text(pointer)
    _rebind(folder)
    assert "git lfs pull" in refusal(folder)


def test_pickle(folder):
    (folder / "cnn.safetensors").write_bytes(pickle.dumps({"a": 1}))
    _rebind(folder)
    assert "pickle" in refusal(folder)
    torch.save({"a": torch.zeros(1)}, folder / "cnn.safetensors")
    _rebind(folder)
    assert "pickle" in refusal(folder)


def test_missing_and_surplus_tensors(folder):
    state = load_file(folder / "cnn.safetensors")
    removed = state.pop("classifier.4.bias")
    save_file(state, folder / "cnn.safetensors")
    _rebind(folder)
    assert "do not fit" in refusal(folder)
    state |= {"classifier.4.bias": removed, "more": removed.clone()}
    save_file(state, folder / "cnn.safetensors")
    _rebind(folder)
    assert "do not fit" in refusal(folder)


def test_rubbish_truncated_and_missing(folder):
    data = (folder / "cnn.safetensors").read_bytes()
    (folder / "cnn.safetensors").write_bytes(data[: len(data) // 2])
    _rebind(folder)
    assert "do not fit" in refusal(folder)
    (folder / "cnn.safetensors").unlink()
    assert "missing" in refusal(folder)
    assert available_models(folder) == ()
    (folder / "cnn.json").write_text("{")
    assert "not valid json" in refusal(folder)
    (folder / "cnn.json").unlink()
    assert "Train the network" in refusal(folder)


def test_card_of_another_network(folder):
    shutil.copy(folder / "cnn.json", folder / "resnet18.json")
    with pytest.raises(CheckpointError, match="describes 'cnn'"):
        load("resnet18", folder)


def test_a_card_without_its_parts(folder):
    card = read_card("cnn", folder)
    del card["operating_points"]
    (folder / "cnn.json").write_text(json.dumps(card))
    assert "lacks" in refusal(folder)


def _rebind(folder) -> None:
    """Give the card the sha256 of what lies there, so that the next line of defence is tested."""
    import hashlib

    card = json.loads((folder / "cnn.json").read_text())
    data = (folder / "cnn.safetensors").read_bytes()
    card["weights"]["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / "cnn.json").write_text(json.dumps(card))
