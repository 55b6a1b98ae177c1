"""The guard: is this a frontal chest radiograph, upright and whole, like those the network knows?

It looks at the feature map that the network computes anyway, and at simple facts of the picture.
Its numbers are fitted by `python -m pneumo guard fit` and belong to one network's weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from pneumo.imaging.dicom import LATERAL_NOTE
from pneumo.imaging.facts import Facts, describe, facts_of
from pneumo.imaging.radiograph import Radiograph
from pneumo.models.checkpoint import Checkpoint, CheckpointError, write_card

FORMAT = 1
REFIT = "python -m pneumo guard fit --model {name} --data DIR --not-chest DIR"

# Facts that no ordinary film shows. Of 402 train films, 40 originals and 258 adult films none has
# less contrast than 0.36; 0.04 is a blank picture's.
BLANK, LOW_CONTRAST = 0.04, 0.35
UNUSABLE_SIDE, SMALL_SIDE = 32, 160
LONG_ASPECT = 2.5
SOME_LETTERS = 8

# Warnings by head: what a score at or above the head's threshold says.
SAYINGS = {
    "turned 90": "The film seems to be turned by 90 degrees clockwise. Turn it upright and read it "
    "again: this answer is not reliable.",
    "turned 180": "The film seems to stand on its head. Turn it upright and read it again: this "
    "answer is not reliable.",
    "turned 270": "The film seems to be turned by 90 degrees anticlockwise. Turn it upright and "
    "read it again: this answer is not reliable.",
    "mirrored": "The film seems to be mirrored left to right: the heart lies on the other side.",
    "cropped": "The film seems to be cropped: part of the chest may be missing.",
    "adult": "The film looks like an adult's. The network learned from children of one hospital "
    "and is less reliable here.",
    "unlike": "The film differs from those the network learned from, so its answer is less "
    "reliable.",
}
# Check of the reading -> the heads it consults, in the order of what matters more.
WARNINGS = {
    "upright": ("turned 90", "turned 180", "turned 270", "mirrored"),
    "whole": ("cropped",),
    "population": ("adult", "unlike"),
}
CALM = {
    "upright": "The film stands upright.",
    "whole": "The chest is whole.",
    "population": "The film is like those the network learned from.",
}
REFUSAL = (
    "This does not look like a frontal chest radiograph, so it was not read. "
    "Please choose a frontal chest film."
)

LATERAL = (
    "The file declares a lateral view, so it was not read. Please choose the frontal film."
)


class GuardError(CheckpointError):
    """A guard that must not be used; the message says why and which command makes a new one."""


@dataclass(frozen=True)
class Check:
    """One named check of a film: outcome "passed", "warned" or "failed", and a sentence."""

    name: str
    outcome: str
    detail: str


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

    def scores(self, description: np.ndarray) -> dict[str, float | np.ndarray]:
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
        found = {name for name, head in self.heads.items() if scores[name] >= head.threshold}
        chest = Check("chest", "passed", "This looks like a frontal chest radiograph.")
        if LATERAL_NOTE in film.notes:
            chest = Check("chest", "failed", LATERAL)
        elif "chest" not in found:
            chest = Check("chest", "failed", REFUSAL)
        return (chest, *fact_checks(facts_of(film.pixels)), *_warnings(found))


def _warnings(found: set[str]) -> tuple[Check, ...]:
    checks = []
    for name, heads in WARNINGS.items():
        said = next((SAYINGS[head] for head in heads if head in found), None)
        checks.append(Check(name, "warned" if said else "passed", said or CALM[name]))
    return tuple(checks)


def fact_checks(facts: Facts) -> tuple[Check, ...]:
    """Checks that need no network: contrast, size, shape, letters."""
    size = f"{facts.width} x {facts.height} pixels"
    if facts.contrast < BLANK:
        contrast = ("failed", "The picture is almost one single grey, so there is nothing to read.")
    elif facts.contrast < LOW_CONTRAST:
        contrast = ("warned", "The film has little contrast. Fine opacities may be invisible.")
    else:
        contrast = ("passed", "The film has contrast enough.")
    if facts.smallest_side < UNUSABLE_SIDE:
        detail = ("failed", f"The picture has only {size}. Please export it larger.")
    elif facts.smallest_side < SMALL_SIDE:
        detail = ("warned", f"The film has only {size}. Fine opacities may be invisible.")
    else:
        detail = ("passed", f"The film has {size}.")
    shape = ("passed", "The film has a usual shape.")
    if facts.aspect > LONG_ASPECT:
        shape = ("warned", f"The film is unusually long ({size}): it is squeezed to a square.")
    text = ("passed", "No text is burnt in beyond side markers.")
    if facts.letters >= SOME_LETTERS:
        text = ("warned", "Text seems to be burnt into the film. The network may be misled by it, "
                "and it may name the patient.")
    pairs = {"contrast": contrast, "size": detail, "shape": shape, "text": text}
    return tuple(Check(name, *pair) for name, pair in pairs.items())


def unguarded() -> tuple[Check, ...]:
    """What a reading says when its network has no guard."""
    return (Check("guard", "warned", "No guard is fitted for this network, so whether this is a "
                  "frontal chest radiograph was not checked."),)


def overridden() -> tuple[Check, ...]:
    """What a reading says when the guard would have refused the picture and was told not to."""
    return (Check("guard", "warned", "The guard refuses this picture. It was read all the same, on "
                  "request: do not rely on the answer."),)


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
            name: {"threshold": _short(head.threshold), "bias": _short(head.bias),
                   "weights": _text(head.weights)}
            for name, head in guard.heads.items()
        },
    }
    write_card({
        "format": FORMAT, "network": guard.network, "weights_sha256": guard.weights_sha256,
        **guard.card, **numbers,
    }, path)


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
