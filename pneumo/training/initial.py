"""Starting weights of a network: bundled ImageNet ones, torchvision's, a state dict, or none."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from pneumo.models.card import BUNDLED
from pneumo.models.networks import NETWORKS, Network, build, imagenet_weights


class InitialError(ValueError):
    """Starting weights that cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Initial:
    """What a network started from.

    Attributes:
        source: "imagenet", "scratch", or the file's name.
        loaded: names of the tensors taken over.
        fresh: names of the parameters that start from random numbers.
        unused: names in the file that the network does not have, or in another shape.
        sha256: of the file; empty when there is none.
    """

    source: str
    loaded: tuple[str, ...]
    fresh: tuple[str, ...]
    unused: tuple[str, ...]
    sha256: str = ""

    @property
    def pretrained(self) -> tuple[str, ...]:
        """Top-level modules all of whose parameters were loaded."""
        fresh = {name.split(".")[0] for name in self.fresh}
        return tuple(
            dict.fromkeys(n.split(".")[0] for n in self.loaded if n.split(".")[0] not in fresh)
        )

    def sentence(self) -> str:
        """What was loaded and what starts fresh, for a log and the model card."""
        if not self.loaded:
            return "All weights start from random numbers."
        fresh = ", ".join(dict.fromkeys(name.split(".")[0] for name in self.fresh)) or "nothing"
        return f"{len(self.loaded)} tensors from {self.source}; from random numbers: {fresh}."


def bundled_start(name: str) -> Path:
    """Where the bundled starting weights of a network lie, if there are any."""
    return BUNDLED / f"{name}_imagenet.safetensors"


def start(name: str, init: str | None, seed: int) -> tuple[Network, Initial]:
    """A network with its starting weights.

    Args:
        name: registered name of the network.
        init: "imagenet" (torchvision's, downloaded), "scratch", the path of a state dict (.pth or
            .safetensors), which may be partial, or None: the bundled weights where there are any,
            else scratch.
        seed: of the random numbers of what starts fresh.

    Raises:
        InitialError: when the weights cannot be had or none of them fits.
    """
    torch.manual_seed(seed)
    network = build(name)
    if init is None:
        init = str(bundled_start(name)) if NETWORKS[name].trunk else "scratch"
    if init == "scratch":
        return network, _fill(network, {}, "scratch")
    if init == "imagenet":
        fetch = imagenet_weights(name)
        if fetch is None:
            raise InitialError(f"There are no ImageNet weights for '{name}'. Use --init scratch.")
        try:
            return network, _fill(network, fetch(), "imagenet")
        except (OSError, RuntimeError) as error:
            raise InitialError(
                f"torchvision's ImageNet weights could not be downloaded ({error}). Connect to "
                "the internet, or give a state dict with --init PATH, or use --init scratch."
            ) from None
    path = Path(init)
    state = _read(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    initial = _fill(network, state, path.name, sha256)
    if not initial.loaded:
        raise InitialError(f"No tensor of {path} fits the network '{name}'.")
    return network, initial


def _read(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise InitialError(f"There is no file {path}. --init takes imagenet, scratch or a file.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file that is no state dict can fail in any place of a decoder
        reason = str(error).splitlines()[0]
        raise InitialError(f"{path} is no state dict ({reason}).") from None
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise InitialError(f"{path} is no state dict: it must map names to tensors.")
    return state


def _fill(
    network: nn.Module, state: dict[str, torch.Tensor], source: str, sha256: str = ""
) -> Initial:
    own = network.state_dict()
    fits = {
        k: v.float() if v.is_floating_point() else v
        for k, v in state.items()
        if k in own and own[k].shape == v.shape
    }
    network.load_state_dict(fits, strict=False)
    # Counters of batches seen are no weights: a file without them lacks nothing.
    fresh = [k for k, _ in network.named_parameters() if k not in fits]
    unused = [k for k in state if k not in fits]
    return Initial(source, tuple(fits), tuple(fresh), tuple(unused), sha256)
