"""Checkpoints: weights as safetensors beside a json card, bound together by sha256."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn

from pneumo.models.networks import build, network_names
from pneumo.models.preprocess import Preprocessing

BUNDLED = Path(__file__).resolve().parents[2] / "checkpoints"

# Limits what a json that is not ours can make us read; ResNet-18 in fp32 has 45 MB.
MAX_WEIGHT_BYTES = 500_000_000

# Of films one half of which is a healthy child's: the least share of the heat that must lie in the
# other half for a map to tell the side. Chance gives 0.5.
TELLS_THE_SIDE = 0.75


def checkpoint_folder(folder: Path | None = None) -> Path:
    """The folder given, or the one PNEUMO_CHECKPOINTS names, or the bundled one."""
    return Path(folder or os.environ.get("PNEUMO_CHECKPOINTS") or BUNDLED)


class CheckpointError(RuntimeError):
    """A checkpoint that must not be used; the message says which file, why, and what to do."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network ready to read films, with everything that belongs to its weights.

    Attributes:
        network: in eval mode, float32, on the CPU.
        card: the json beside the weights.
        preprocessing: how a film becomes this network's input.
        weights_sha256: of the weight file, 64 hexadecimal digits.
        folder: it was loaded from; None when it was not.
    """

    network: nn.Module
    card: dict
    preprocessing: Preprocessing
    weights_sha256: str
    folder: Path | None = None

    @property
    def name(self) -> str:
        """The registered name of the network, such as 'resnet18'."""
        return self.card["architecture"]["name"]


def available_models(folder: Path | None = None) -> tuple[str, ...]:
    """Names of the registered networks that have a card and weights in the folder."""
    folder = checkpoint_folder(folder)
    suffixes = (".json", ".safetensors")
    return tuple(
        name
        for name in network_names()
        if all((folder / f"{name}{suffix}").is_file() for suffix in suffixes)
    )


def round_to_stored(network: nn.Module) -> dict[str, torch.Tensor]:
    """Round a network in place to what a checkpoint stores, so that scores are the file's.

    Convolutions and matrices become fp16; batch-norm statistics stay fp32, for a variance can
    lie below fp16's smallest number.

    Returns:
        The state dict to be stored.
    """
    state = {
        name: (value.half() if value.ndim >= 2 else value).contiguous().clone()
        for name, value in network.state_dict().items()
    }
    network.load_state_dict(state)
    return state


def save(network: nn.Module, card: dict, folder: Path | None = None) -> Path:
    """Write NAME.safetensors and NAME.json, each whole or not at all.

    Args:
        network: the trained network; rounded in place to what is stored.
        card: json values; `architecture` and `weights` are filled in here.
        folder: `checkpoints/` unless given.

    Returns:
        The path of the card.
    """
    folder = checkpoint_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data = save_tensors(round_to_stored(network))
    card = {
        "architecture": {
            "name": network.name,
            "title": network.title,
            "parameters": sum(p.numel() for p in network.parameters()),
        },
        "weights": {
            "file": f"{network.name}.safetensors",
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "storage": "float16 matrices and convolutions, float32 vectors",
        },
        **card,
    }
    weights = folder / f"{network.name}.safetensors"
    _write_whole(weights, data)
    path = folder / f"{network.name}.json"
    write_card(card, path)
    return path


def write_card(card: dict, path: Path) -> None:
    """Write a card as readable json, whole or not at all."""
    _write_whole(path, (json.dumps(card, indent=2, sort_keys=False) + "\n").encode())


def read_card(name: str, folder: Path | None = None) -> dict:
    """The json card of a network.

    Raises:
        CheckpointError: when it is missing or no json object of ours.
    """
    path = checkpoint_folder(folder) / f"{name}.json"
    try:
        card = json.loads(path.read_text())
    except FileNotFoundError:
        raise CheckpointError(
            f"There is no card {path}. Train the network with train.py --model {name}, or fetch "
            "the checkpoints folder of the release."
        ) from None
    except (UnicodeDecodeError, ValueError):
        raise CheckpointError(f"{path} is not valid json. Fetch it again.") from None
    parts = (
        "architecture", "preprocessing", "weights", "calibration", "operating_points", "heat"
    )
    if not isinstance(card, dict) or any(part not in card for part in parts):
        raise CheckpointError(f"{path} lacks one of {', '.join(parts)}. Fetch it again.")
    return card


def choices_that_knew_test(cards: Iterable[dict]) -> int:
    """How many ideas, of those tried, were taken or left when a test score of theirs was known."""
    return len({
        one["idea"] for card in cards for one in card.get("tried", ()) if one.get("knew_test")
    })


def load(name: str, folder: Path | None = None) -> Checkpoint:
    """Load a network strictly: every tensor present, none too many, bytes as the card says.

    Raises:
        CheckpointError: card or weights missing, an unfetched Git LFS pointer, a pickle, bytes
            that are not those of the card, or tensors that do not fit the architecture.
    """
    folder = checkpoint_folder(folder)
    card = read_card(name, folder)
    if name not in network_names() or card["architecture"].get("name") != name:
        raise CheckpointError(
            f"The card {folder / name}.json describes '{card['architecture'].get('name')}', and "
            f"this version knows {', '.join(network_names())}."
        )
    path = folder / f"{name}.safetensors"
    data = _weight_bytes(path)
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != card["weights"].get("sha256"):
        raise CheckpointError(
            f"The weights {path} are not the ones its card describes (sha256 {sha256[:12]}..., "
            f"card {str(card['weights'].get('sha256'))[:12]}...). Fetch both files again together."
        )
    network = build(name)
    try:
        state = {key: value.float() if value.is_floating_point() else value
                 for key, value in load_tensors(data).items()}
        network.load_state_dict(state, strict=True)
    except (SafetensorError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise CheckpointError(f"The weights {path} do not fit the network: {first}") from None
    network.eval().requires_grad_(False)
    return Checkpoint(network, card, Preprocessing(**card["preprocessing"]), sha256, folder)


def _weight_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise CheckpointError(
            f"The weights {path} are missing. Fetch the checkpoints folder of the release, or "
            f"train the network with train.py --model {path.stem}."
        )
    if path.stat().st_size > MAX_WEIGHT_BYTES:
        raise CheckpointError(f"{path} is larger than any network here, so it was not read.")
    data = path.read_bytes()
    if data.startswith(b"version https://git-lfs"):
        raise CheckpointError(
            f"{path} is a Git LFS pointer, not the weights themselves. Run: git lfs pull"
        )
    if data[:2] in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        raise CheckpointError(
            f"{path} is a Python pickle. Pickles can run code, so only safetensors are loaded."
        )
    return data


def _write_whole(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    os.replace(part, path)


def heat_tells_side(card: dict) -> bool:
    """Whether a network's heat tells which lung is affected; where unmeasured, it is so."""
    lungs = (card.get("metrics") or {}).get("lungs") or card.get("lungs") or {}
    return lungs.get("heat_in_ill_half", 1.0) >= TELLS_THE_SIDE


def with_interval(found: dict, key: str) -> float | dict | None:
    """A measure of a table that keeps its 95 % intervals apart, under `intervals`.

    Returns:
        {"value", "low", "high"}; the bare value where it has no interval, None where it is absent.
    """
    ends = (found.get("intervals") or {}).get(key)
    return found.get(key) if ends is None else {
        "value": found[key], "low": ends[0], "high": ends[1]}
