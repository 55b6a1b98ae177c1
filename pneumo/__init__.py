"""Pneumo reads chest radiographs: load(), available_models(), Reader and Reading."""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

# Name -> its module. Loaded on first use: torch takes seconds, and commands such as
# `data download` do without it.
_PUBLIC = {
    "Check": "reader",
    "Checkpoint": "checkpoint",
    "CheckpointError": "checkpoint",
    "Reader": "reader",
    "Reading": "reader",
    "available_models": "checkpoint",
    "load": "checkpoint",
}
__all__ = list(_PUBLIC)


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'pneumo' has no attribute '{name}'")
    return getattr(importlib.import_module(f"pneumo.models.{_PUBLIC[name]}"), name)
