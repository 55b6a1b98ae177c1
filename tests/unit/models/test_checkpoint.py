"""Checkpoints: what is saved comes back, and everything doubtful is refused with a reason."""

import hashlib
import json
import pickle
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save, save_file

from pneumo.models import checkpoint as checkpoints
from pneumo.models.card import CheckpointError, read_card, write_card
from pneumo.models.checkpoint import available_models, load_checkpoint, save_weights


@pytest.fixture
def folder(stand_ins, tmp_path):
    for part in ("cnn.json", "cnn.safetensors"):
        shutil.copy(stand_ins / part, tmp_path)
    return tmp_path


def refusal(folder, name: str = "cnn") -> str:
    with pytest.raises(CheckpointError) as error:
        load_checkpoint(name, folder)
    assert "\n" not in str(error.value)
    return str(error.value)


def rebind(folder) -> None:
    """Give the card the sha256 of what lies there, so that the next line of defence is tested."""
    values = json.loads((folder / "cnn.json").read_text())
    data = b"".join((folder / file).read_bytes() for file in values["weights"]["files"])
    values["weights"]["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / "cnn.json").write_text(json.dumps(values))


def test_a_saved_network_loads_as_it_was(folder):
    checkpoint = load_checkpoint("cnn", folder)
    stored = load_file(folder / "cnn.safetensors")
    for name, value in checkpoint.network.state_dict().items():
        assert torch.equal(value, stored[name].to(value.dtype))
    assert not checkpoint.network.training
    assert all(p.dtype == torch.float32 for p in checkpoint.network.parameters())
    assert available_models(folder) == ("cnn",)


def test_shards_load_as_the_network_that_was_saved(stand_ins, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "MAX_SHARD", "300KB")
    checkpoint = load_checkpoint("cnn", stand_ins)
    weights = save_weights(checkpoint.network, tmp_path)
    write_card(replace(checkpoint.card, weights=weights), tmp_path)
    assert len(read_card("cnn", tmp_path).weights.files) > 2
    assert max(p.stat().st_size for p in tmp_path.glob("*.safetensors")) < 400_000
    assert available_models(tmp_path) == ("cnn",)
    mine, whole = (load_checkpoint("cnn", f).network.state_dict() for f in (tmp_path, stand_ins))
    assert all(torch.equal(mine[key], whole[key]) for key in whole)
    assert len(mine) == len(whole)
    shard = sorted(tmp_path.glob("*.safetensors"))[0]
    shard.unlink()
    assert shard.name in refusal(tmp_path)
    (tmp_path / "cnn.safetensors.index.json").unlink()
    assert available_models(tmp_path) == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (save({"weight": torch.ones(3)}), "not the ones its card describes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "git lfs pull"),
        (pickle.dumps({"a": 1}), "pickle"),
        (b"PK\x03\x04 as torch.save writes", "pickle"),
    ],
)
def test_files_that_are_not_these_weights(folder, content, words):
    (folder / "cnn.safetensors").write_bytes(content)
    assert words in refusal(folder)


@pytest.mark.parametrize("damage", ["missing", "surplus", "truncated"])
def test_weights_that_do_not_fit_the_network(folder, damage):
    path = folder / "cnn.safetensors"
    state = load_file(path)
    if damage == "missing":
        state.popitem()
    save_file({**state, **({"more": torch.ones(1)} if damage == "surplus" else {})}, path)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    rebind(folder)
    assert "do not fit" in refusal(folder)
