"""The state of a run on disk: written whole or not at all, and checked before it is used."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from pneumo.files import write_whole


class StateError(ValueError):
    """A run that cannot be resumed; the message says why and what to do."""


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write a state: 64 hexadecimal digits of its sha256, then torch's own format."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    data = buffer.getvalue()
    write_whole(path, hashlib.sha256(data).hexdigest().encode() + data)


def read_state(path: Path, recipe: dict[str, Any]) -> dict[str, Any]:
    """The state of a run of this recipe; a StateError if missing, damaged or of another recipe."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        why = f"There is no run to resume in {path.parent}. Leave out --resume."
        raise StateError(why) from None
    digest, data = content[:64], content[64:]
    if hashlib.sha256(data).hexdigest().encode() != digest:
        raise StateError(f"{path} is damaged: its checksum does not match. Start without --resume.")
    state: dict[str, Any] = torch.load(io.BytesIO(data), weights_only=True)
    changed = [name for name, value in recipe.items() if state["recipe"].get(name) != value]
    if changed:
        raise StateError(
            f"The run in {path.parent} has another recipe: {', '.join(changed)} differ. Give the "
            "same values, or start without --resume."
        )
    return state
