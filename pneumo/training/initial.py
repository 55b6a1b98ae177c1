"""What a network starts from: bundled ImageNet weights where there are any, else random ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from safetensors.torch import load_file

from pneumo.models.card import BUNDLED
from pneumo.models.networks import Network, build


@dataclass(frozen=True)
class Initial:
    """What was loaded.

    Attributes:
        sentence: the same in words, for the log and the card.
        pretrained: top-level modules all of whose parameters were loaded.
    """

    sentence: str
    pretrained: tuple[str, ...] = ()


def start(name: str, seed: int) -> tuple[Network, Initial]:
    """A network with its starting weights; the seed is that of the random ones.

    Raises:
        RuntimeError: when NAME_imagenet.safetensors does not fit the network.
    """
    torch.manual_seed(seed)
    network = build(name)
    path = BUNDLED / f"{name}_imagenet.safetensors"
    if not path.is_file():
        return network, Initial("All weights start from random numbers.")
    state = load_file(path)
    unused = network.load_state_dict(
        {k: v.float() if v.is_floating_point() else v for k, v in state.items()}, strict=False
    ).unexpected_keys
    fresh = {k.split(".")[0] for k, _ in network.named_parameters() if k not in state}
    loaded = {k.split(".")[0]: None for k in state if k not in unused}
    return network, Initial(
        f"{len(state) - len(unused)} tensors from {path.name}; from random numbers: "
        f"{', '.join(sorted(fresh)) or 'nothing'}.",
        tuple(module for module in loaded if module not in fresh),
    )
