"""What a network starts from: bundled or torchvision's ImageNet weights, a file, or nothing."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torchvision.models import get_model_weights

from pneumo.models.card import BUNDLED
from pneumo.models.networks import Network, build


class InitialError(ValueError):
    """Starting weights that cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Initial:
    """What was loaded, in words, and the top-level modules all of whose parameters were."""

    sentence: str
    pretrained: tuple[str, ...] = ()


def start(name: str, init: str | None, seed: int) -> tuple[Network, Initial]:
    """A network with its starting weights; an InitialError when they cannot be had or do not fit.

    `init`: "imagenet" (torchvision's, downloaded), "scratch", the path of a state dict, or None:
    the bundled ones where there are any, else scratch. `seed`: of what starts fresh.
    """
    torch.manual_seed(seed)
    network = build(name)
    bundled = BUNDLED / f"{name}_imagenet.safetensors"
    if init is None:
        init = str(bundled) if bundled.is_file() else "scratch"
    if init == "scratch":
        return network, Initial("All weights start from random numbers.")
    own = network.state_dict()
    fits = {
        k: v.float() if v.is_floating_point() else v
        for k, v in _state(name, init).items()
        if k in own and own[k].shape == v.shape
    }
    if not fits:
        raise InitialError(f"No tensor of {init} fits the network '{name}'.")
    network.load_state_dict(fits, strict=False)
    fresh = {k.split(".")[0] for k, _ in network.named_parameters() if k not in fits}
    modules = dict.fromkeys(k.split(".")[0] for k in fits)
    return network, Initial(
        f"{len(fits)} tensors from {Path(init).name}; from random numbers: "
        f"{', '.join(sorted(fresh)) or 'nothing'}.",
        tuple(module for module in modules if module not in fresh),
    )


def _state(name: str, init: str) -> dict[str, torch.Tensor]:
    try:
        if init == "imagenet":
            return get_model_weights(name).DEFAULT.get_state_dict(check_hash=True)
        if init.endswith(".safetensors"):
            return load_file(init)
        return torch.load(init, map_location="cpu", weights_only=True)
    except (OSError, ValueError, RuntimeError, SafetensorError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0]
        raise InitialError(
            f"The starting weights {init} cannot be had ({reason}). --init takes imagenet, which "
            "is downloaded, scratch, or the path of a state dict."
        ) from None
