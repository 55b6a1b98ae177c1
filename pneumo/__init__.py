"""Pneumo detects pneumonia on chest radiographs: load(), available_models(), Reader, Reading."""

import importlib

__version__ = "0.2.0"

# Name -> its module. Loaded on first use: torch takes seconds, and commands such as
# `data download` do without it.
_PUBLIC = {
    "Check": "reading.checks",
    "Checkpoint": "models.checkpoint",
    "CheckpointError": "models.card",
    "Policy": "models.probability",
    "Reader": "reading.reader",
    "Reading": "reading.reader",
    "available_models": "models.checkpoint",
    "load": "reading.reader",
    "load_checkpoint": "models.checkpoint",
}
__all__ = list(_PUBLIC)


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'pneumo' has no attribute '{name}'")
    return getattr(importlib.import_module(f"pneumo.{_PUBLIC[name]}"), name)
