"""A run's state: damaged, empty or foreign files end in a sentence."""

from __future__ import annotations

import pytest
import torch

from pneumo.training.state import StateError, read_state, write_state

RECIPE = {"epochs": 3}


def test_round_trip(tmp_path):
    write_state(tmp_path / "state.pt", {"recipe": RECIPE, "weights": torch.ones(3)})
    assert torch.equal(read_state(tmp_path / "state.pt", RECIPE)["weights"], torch.ones(3))


@pytest.mark.parametrize("damage", ["empty", "short", "flipped"])
def test_a_damaged_state_is_found(tmp_path, damage):
    path = tmp_path / "state.pt"
    write_state(path, {"recipe": RECIPE, "weights": torch.ones(3)})
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    path.write_bytes({"empty": b"", "short": bytes(data[:200]), "flipped": bytes(data)}[damage])
    with pytest.raises(StateError, match="damaged"):
        read_state(path, RECIPE)


def test_another_recipe_and_no_state_are_named(tmp_path):
    write_state(tmp_path / "state.pt", {"recipe": RECIPE})
    with pytest.raises(StateError, match="epochs"):
        read_state(tmp_path / "state.pt", {"epochs": 4})
    with pytest.raises(StateError, match="no run to resume"):
        read_state(tmp_path / "nowhere.pt", RECIPE)
