"""The state file of a training run: what a stopped run needs to go on, and whose it is."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from pneumo.training.recipe import Recipe

# Decides only what is made of the weights after the last epoch: a run, even a finished one, can go
# on with another value.
AFTERWARDS = {"before_lungs"}


class ResumeError(ValueError):
    """A saved state that belongs to another run; the message says what differs."""


def read_state(file: Path | None, recipe: Recipe) -> dict:
    """The state file's content, on the CPU, after a look at whose it is.

    Raises:
        ResumeError: when there is none, or it belongs to another recipe.
    """
    if file is None or not file.is_file():
        raise ResumeError(f"There is nothing to resume: no file {file}.")
    state = torch.load(file, map_location="cpu", weights_only=True)
    mine, begun = recipe.record(), with_defaults(state["recipe"])
    if differs := [key for key in mine if key not in AFTERWARDS and begun[key] != mine[key]]:
        raise ResumeError(
            f"The run in {file.parent} was started with other values of "
            f"{', '.join(differs)}. Give the same ones, or start anew without --resume."
        )
    return state


def write_state(file: Path | None, state: dict) -> None:
    """Write the state, whole or not at all; nothing where there is no file to write to."""
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, file)


def with_defaults(recorded: dict) -> dict:
    """A recorded recipe with what recipes have learned to choose since: as the default does."""
    return Recipe(recorded["model"]).record() | recorded if "model" in recorded else recorded
