"""Checkpoints: weights as safetensors shards beside a card, bound together by sha256."""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pneumo.files import write_whole
from pneumo.hub import HubError, explained
from pneumo.models.card import Card, CheckpointError, Weights, checkpoint_folder, read_card
from pneumo.models.preprocess import Preprocessing

if TYPE_CHECKING:  # serving does without PyTorch, see pneumo.models.runtime
    import torch
    from torch import nn

    from pneumo.models.networks import Network

# Hubs refuse larger files in a plain repository.
MAX_SHARD = "9MB"
# Limits what a card that is not ours can make us read; ResNet-18 in float32 has 45 MB.
MAX_WEIGHT_BYTES = 500_000_000
# hf://OWNER/NAME@REVISION, with #NETWORK behind it for another than the default one.
HUB = "hf://"
_ADDRESS = re.compile(r"hf://([\w.-]+/[\w.-]+)@([\w./-]+?)(?:#([\w-]+))?")
# What a network needs besides its own files; a card names the one input check that it takes.
COMPANIONS = ("input_check.json", "lungs.safetensors")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A card whose weights are the ones it describes, and their folder."""

    card: Card
    folder: Path | None = None

    @cached_property
    def network(self) -> Network:
        """Ready for prediction (eval mode, float32, CPU), built when it is first asked for.

        A CheckpointError unless every tensor is there and none too many.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load as load_tensors

        from pneumo.models.networks import NETWORKS, build

        if self.name not in NETWORKS:
            raise CheckpointError(
                f"There is no network called '{self.name:.40}'. Known: {', '.join(NETWORKS)}."
            )
        network, folder = build(self.name), checkpoint_folder(self.folder)
        blobs = _verified(self.card, folder)
        try:
            tensors = [item for blob in blobs for item in load_tensors(blob).items()]
            if len(state := dict(tensors)) < len(tensors):
                raise SafetensorError("a tensor is in two files")
            network.load_state_dict(state, strict=True)
        except (SafetensorError, RuntimeError) as error:
            first = str(error).splitlines()[0]
            why = f"The weights of {self.name} in {folder} do not fit the network: {first}"
            raise CheckpointError(why) from None
        return network.eval().requires_grad_(False)

    @property
    def name(self) -> str:
        """The registered name of the network, such as 'resnet18'."""
        return self.card.name

    @property
    def preprocessing(self) -> Preprocessing:
        """How a radiograph becomes this network's input."""
        return self.card.preprocessing

    @property
    def weights_sha256(self) -> str:
        """Of the weight files, 64 hexadecimal digits."""
        return self.card.weights.sha256


def available_models(folder: Path | None = None) -> tuple[str, ...]:
    """Names of the networks that have a card and weights in the folder, sorted."""
    folder = checkpoint_folder(folder)
    names = sorted(path.stem for path in folder.glob("*.json"))
    return tuple(name for name in names if any(folder.glob(f"{name}.safetensors*")))


def default_model(folder: Path | None = None) -> str:
    """resnet18 where it has a checkpoint, else the first network that has one, else resnet18."""
    names = available_models(folder)
    return "resnet18" if "resnet18" in names or not names else names[0]


def round_to_stored(network: nn.Module) -> dict[str, torch.Tensor]:
    """Round a network in place to what a checkpoint stores, and return that state dict."""
    # Batch-norm statistics stay float32: a variance can lie below float16's smallest number.
    state = {
        name: (value.half() if value.ndim >= 2 else value).contiguous().clone()
        for name, value in network.state_dict().items()
    }
    network.load_state_dict(state)
    return state


def save_weights(network: Network, folder: Path | None = None) -> Weights:
    """Write a network, rounded in place, as NAME.safetensors or indexed shards; replaces older."""
    from huggingface_hub import save_torch_state_dict  # takes a moment; serving does without

    name, folder = network.name, checkpoint_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        save_torch_state_dict(
            round_to_stored(network),
            made,
            filename_pattern=f"{name}{{suffix}}.safetensors",
            max_shard_size=MAX_SHARD,
        )
        new = sorted(path.name for path in Path(made).iterdir())
        for file in new:  # copied, since safetensors lets nobody else read what it writes
            write_whole(folder / file, (Path(made) / file).read_bytes())
    for stale in (*folder.glob(f"{name}.safetensors*"), *folder.glob(f"{name}-*-of-*.safetensors")):
        if stale.name not in new:
            stale.unlink()
    files = tuple(file for file in new if file.endswith(".safetensors"))
    blobs = [(folder / file).read_bytes() for file in files]
    return Weights(
        files=files,
        sha256=hashlib.sha256(b"".join(blobs)).hexdigest(),
        bytes=sum(map(len, blobs)),
        parameters=sum(p.numel() for p in network.parameters()),
    )


def fetch(address: str) -> tuple[Path, str]:
    """The folder and the network of hf://OWNER/NAME@REVISION, or of that and #NETWORK.

    A commit is a revision that nobody can move; a tag or branch is looked up once for all files. A
    CheckpointError when the address is none, or nothing usable comes from there.
    """
    parts = _ADDRESS.fullmatch(address)
    if not parts:
        raise CheckpointError(
            f"'{address:.100}' is no address of a model. Write hf://OWNER/NAME@REVISION with the "
            "commit that the repository's history shows."
        )
    repository, revision, network = parts.groups()
    from huggingface_hub import snapshot_download

    from pneumo.models.networks import NETWORKS

    endings = (".json", ".safetensors", "-?????-of-?????.safetensors")
    wanted = [name + ending for name in NETWORKS for ending in endings]
    advice = (
        "Check owner, name and revision; a private repository needs `hf auth login`, and a first "
        "download needs the network."
    )
    patterns = [*wanted, *COMPANIONS]
    try:
        with explained(f"{repository}@{revision}", advice):
            found = snapshot_download(repository, revision=revision, allow_patterns=patterns)
    except HubError as error:
        raise CheckpointError(str(error)) from error
    folder = Path(found)
    names = available_models(folder)
    if not names or (network and network not in names):
        raise CheckpointError(
            f"{address:.100} holds no checkpoint of {network or ' or '.join(NETWORKS)}. Name a "
            "repository that `pneumo publish model` made."
        )
    return folder, network or default_model(folder)


def load_checkpoint(name: str, folder: Path | None = None) -> Checkpoint:
    """Load a network strictly: every tensor present, none too many, bytes as the card says.

    `name` is a registered network's, or an address as `fetch` takes it, which needs no folder. A
    CheckpointError for whatever is wrong with card or weights.
    """
    checkpoint = open_checkpoint(name, folder)
    _ = checkpoint.network
    return checkpoint


def open_checkpoint(name: str, folder: Path | None = None) -> Checkpoint:
    """A checkpoint whose network is not built yet; else as `load_checkpoint`."""
    if name.startswith(HUB):
        folder, name = fetch(name)
    folder = checkpoint_folder(folder)
    if f"{name}.json" not in {path.name for path in folder.glob("*.json")}:
        known = ", ".join(available_models(folder)) or "none"
        raise CheckpointError(
            f"There is no network called '{name:.40}' in {folder}. Known: {known}. Download the "
            "checkpoints folder of the release, or train one with: python train.py --model NAME"
        )
    card = read_card(name, folder)
    if card.name != name:
        raise CheckpointError(
            f"The card {folder / name}.json describes '{card.name:.40}'. Get the checkpoints "
            "folder again."
        )
    _verified(card, folder)
    return Checkpoint(card, folder)


def _verified(card: Card, folder: Path) -> list[bytes]:
    """The contents of the weight files, which must have the card's sha256."""
    blobs = [_weight_bytes(folder / file, card.name) for file in card.weights.files]
    sha256 = hashlib.sha256(b"".join(blobs)).hexdigest()
    if sha256 != card.weights.sha256:
        raise CheckpointError(
            f"The weights of {card.name} in {folder} are not the ones its card describes (sha256 "
            f"{sha256[:12]}..., card {card.weights.sha256[:12]}...). Get card and weights again "
            "together."
        )
    return blobs


def _weight_bytes(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > MAX_WEIGHT_BYTES:
            raise CheckpointError(f"{path} is larger than any network here, so it was not read.")
        data = path.read_bytes()
    except FileNotFoundError:
        raise CheckpointError(
            f"The weights {path} are missing. Download the checkpoints folder of the release, or "
            f"train the network with: python train.py --model {name}"
        ) from None
    except OSError as error:
        raise CheckpointError(f"The weights {path} cannot be read: {error.strerror}.") from None
    if data.startswith(b"version https://git-lfs"):
        raise CheckpointError(
            f"{path} is a Git LFS pointer, not the weights themselves. Run: git lfs pull"
        )
    if data[:2] in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        raise CheckpointError(
            f"{path} is a Python pickle. Pickles can run code, so only safetensors are loaded."
        )
    return data
