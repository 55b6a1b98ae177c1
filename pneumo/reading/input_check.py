"""The guard: is this a frontal chest radiograph, upright and whole, like those the network knows?

It looks at the feature map that the network computes anyway, and at simple facts of the picture.
Its numbers are fitted by `python -m pneumo guard fit` and belong to one network's weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pneumo.imaging.facts import describe, facts_of
from pneumo.imaging.messages import LATERAL_NOTE
from pneumo.imaging.radiograph import Radiograph
from pneumo.models.checkpoint import (
    Checkpoint,
    CheckpointError,
    write_card,
)
from pneumo.reading.checks import chest_check, fact_checks, named_warnings

FORMAT = 1
REFIT = "python -m pneumo guard fit --model {name} --data DIR --not-chest DIR"


class GuardError(CheckpointError):
    """A guard that must not be used; the message says why and which command makes a new one."""


@dataclass(frozen=True, eq=False)
class Head:
    """One linear question to a description.

    Attributes:
        weights: float64, (D,).
        bias: added to their sum.
        threshold: the answer is yes at or above it.
    """

    weights: np.ndarray
    bias: float
    threshold: float


@dataclass(frozen=True, eq=False)
class Guard:
    """The fitted guard of one network.

    Attributes:
        network: registered name.
        weights_sha256: of the weights whose features it was fitted on.
        mean, scale: float64, (D,), of the descriptions of ordinary films.
        heads: name -> question; "chest", those of `WARNINGS` that were fitted. The head "unlike"
            has non-negative weights on squared values, the others are linear.
        card: how it was fitted and what was measured, plain json values.
    """

    network: str
    weights_sha256: str
    mean: np.ndarray
    scale: np.ndarray
    heads: Mapping[str, Head]
    card: dict = field(default_factory=dict)

    def scores(self, description: np.ndarray) -> dict[str, Any]:
        """Score of every head.

        Args:
            description: float, (D,) or (N, D), as `description_of` gives it.

        Returns:
            name -> float, or float64 (N,).
        """
        z = np.clip((description - self.mean) / self.scale, -8, 8)
        return {
            name: (z * z if name == "unlike" else z) @ head.weights + head.bias
            for name, head in self.heads.items()
        }

    def examine(self, features: torch.Tensor, square: np.ndarray, film: Radiograph) -> tuple:
        """All checks of one film.

        Args:
            features: the network's last feature map for it, (1, C, h, w).
            square: uint8, (S, S), the picture the network saw.
            film: the film itself.

        Returns:
            tuple of Check; the film must be refused when one has failed.
        """
        scores = self.scores(descriptions(features, square[None])[0])
        found = {
            name: scores[name] - head.threshold
            for name, head in self.heads.items()
            if scores[name] >= head.threshold
        }
        chest = chest_check("chest" in found, LATERAL_NOTE in film.notes)
        return (chest, *fact_checks(facts_of(film.pixels)), *named_warnings(found))


def descriptions(features: torch.Tensor, squares: np.ndarray) -> np.ndarray:
    """What the guard knows of pictures: averaged features and the look from afar.

    Args:
        features: the network's last feature map, (N, C, h, w).
        squares: uint8, (N, S, S), the pictures the network saw.

    Returns:
        float64, (N, D). The averages enter by their signed root, which evens their spread out.
    """
    mean = features.detach().mean((2, 3)).double().numpy()
    rooted = np.sign(mean) * np.sqrt(np.abs(mean))
    return np.hstack([rooted, np.stack([describe(square) for square in squares])])


def guard_path(checkpoint: Checkpoint) -> Path | None:
    """Where a checkpoint's guard lies; None for a checkpoint that was not loaded from a folder."""
    return checkpoint.folder and checkpoint.folder / f"guard-{checkpoint.name}.json"


def save_guard(guard: Guard, path: Path) -> None:
    """Write a guard as json, whole or not at all, numbers to five digits."""
    numbers = {
        "mean": _text(guard.mean),
        "scale": _text(guard.scale),
        "heads": {
            name: {
                "threshold": _short(head.threshold),
                "bias": _short(head.bias),
                "weights": _text(head.weights),
            }
            for name, head in guard.heads.items()
        },
    }
    write_card(
        {
            "format": FORMAT,
            "network": guard.network,
            "weights_sha256": guard.weights_sha256,
            **guard.card,
            **numbers,
        },
        path,
    )


def load_guard(checkpoint: Checkpoint, strict: bool = True) -> Guard | None:
    """The guard that belongs to a checkpoint; None when there is none.

    Args:
        checkpoint: of the network.
        strict: False gives None also for a guard that must not be used, for readers that refuse
            nothing anyway.

    Raises:
        GuardError: when it is damaged or was fitted on other weights.
    """
    path = guard_path(checkpoint)
    if path is None or not path.is_file():
        return None
    try:
        return _load(path, checkpoint)
    except GuardError:
        if strict:
            raise
        return None


def _load(path: Path, checkpoint: Checkpoint) -> Guard:
    command = REFIT.format(name=checkpoint.name)
    try:
        card = json.loads(path.read_text())
        heads = {
            name: Head(_numbers(head["weights"]), float(head["bias"]), float(head["threshold"]))
            for name, head in card.pop("heads").items()
        }
        mean, scale = _numbers(card.pop("mean")), _numbers(card.pop("scale"))
        sha256, version = card.pop("weights_sha256"), card.pop("format")
        sound = "chest" in heads and all(len(h.weights) == len(mean) for h in heads.values())
        if version != FORMAT or not sound or len(scale) != len(mean) or not (scale > 0).all():
            raise ValueError("not a guard of this version")
        guard = Guard(card.pop("network"), sha256, mean, scale, heads, card)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise GuardError(f"{path} is damaged. Fetch it again, or make it anew: {command}") from None
    if (guard.network, sha256) != (checkpoint.name, checkpoint.weights_sha256):
        raise GuardError(
            f"{path} was fitted on other weights ({str(sha256)[:12]}..., these are "
            f"{checkpoint.weights_sha256[:12]}...). Fit it again: {command}"
        )
    return guard


def _short(number: float) -> float:
    return float(f"{number:.5g}")


def _text(numbers: np.ndarray) -> str:
    # One string a row keeps a file of thousands of numbers readable.
    return " ".join(f"{number:.5g}" for number in numbers)


def _numbers(text: str) -> np.ndarray:
    values = np.array(text.split(), dtype=np.float64)
    if not len(values) or not np.isfinite(values).all():
        raise ValueError("numbers expected")
    return values
