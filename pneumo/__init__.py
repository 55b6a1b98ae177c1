"""Pneumo reads chest radiographs: load(), available_models(), Reader and Reading."""

from pneumo.models.checkpoint import Checkpoint, CheckpointError, available_models, load
from pneumo.models.reader import Check, Reader, Reading

__version__ = "0.1.0"
__all__ = [
    "Check", "Checkpoint", "CheckpointError", "Reader", "Reading", "available_models", "load",
]
