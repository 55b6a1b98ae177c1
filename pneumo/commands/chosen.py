"""Which networks a command works on: the one that was named, or every one there is."""

from __future__ import annotations

from pathlib import Path

from pneumo.models.checkpoint import CheckpointError, available_models


def chosen_models(name: str | None, folder: Path | None = None) -> tuple[str, ...]:
    """The named network, or all that have a checkpoint in the folder.

    Raises:
        CheckpointError: when none is named and there is none.
    """
    names = (name,) if name else available_models(folder)
    if not names:
        raise CheckpointError("There is no checkpoint. Train one: python train.py --model cnn")
    return names
