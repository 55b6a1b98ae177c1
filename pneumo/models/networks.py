"""The networks and their registry; a new one is a class here with its registry entry and a recipe.

Both networks read the two halves of a radiograph apart, the right one mirrored, so that no cell of
the map over one hemithorax depends on the other; else the evidence may be put anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn import functional
from torchvision.models.resnet import BasicBlock, ResNet

STRIDE = 16  # pixels of the input for each cell of the feature map, in both networks


class Network(nn.Module):
    """What every network of the registry is.

    It takes float32 (N, 1, S, S), gives one logit per image, (N,), and splits its forward pass into
    `features`, the last feature map (N, C, h, w), and `head`, from global average pooling to logit.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Last feature map: (N, 1, S, S) to (N, C, h, w)."""
        raise NotImplementedError

    def head(self, f: torch.Tensor) -> torch.Tensor:
        """Feature map to logits (N,)."""
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits for pneumonia, (N,)."""
        return self.head(self.features(x))


NETWORKS: dict[str, type[Network]] = {}


def register(cls: type[Network]) -> type[Network]:
    """Enter a network class under its `name`."""
    NETWORKS[cls.name] = cls
    return cls


def build(name: str) -> Network:
    """A freshly initialised network; a KeyError names the known ones."""
    if name not in NETWORKS:
        raise KeyError(f"There is no network called '{name}'. Known: {', '.join(NETWORKS)}.")
    return NETWORKS[name]()


def bilateral(trunk: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """Read both halves of images (N, 1, S, S) with one trunk and join the maps: (N, C, h, h).

    A ValueError when the width is no multiple of 32 pixels.
    """
    if x.shape[-1] % (2 * STRIDE):
        raise ValueError(f"The width must be a multiple of {2 * STRIDE}, not {x.shape[-1]}.")
    left, right = x.chunk(2, -1)
    left, right = trunk(torch.cat([left, right.flip(-1)])).chunk(2)
    return torch.cat([left, right.flip(-1)], -1)


def _convolution(channels_in: int, channels: int, size: int = 3, stride: int = 1) -> list:
    return [
        nn.Conv2d(channels_in, channels, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    ]


def _residual(channels: int, count: int) -> list:
    return [BasicBlock(channels, channels) for _ in range(count)]


@register
class PneumoniaCNN(Network):
    """Three convolutional blocks of 32, 64 and 128 filters and a linear layer.

    Each block halves the map and continues with residual units (He et al. 2016); with the first
    convolution's stride the map that Grad-CAM looks at has a sixteenth of the image's side.
    """

    name = "cnn"
    title = "Custom CNN"

    def __init__(self) -> None:
        super().__init__()
        self.block1 = nn.Sequential(*_convolution(1, 32, 5, 2), nn.MaxPool2d(2), *_residual(32, 1))
        self.block2 = nn.Sequential(nn.MaxPool2d(2), *_convolution(32, 64), *_residual(64, 2))
        self.block3 = nn.Sequential(nn.MaxPool2d(2), *_convolution(64, 128), *_residual(128, 3))
        self.dropout = nn.Dropout(0.2)
        self.classifier = nn.Linear(128, 1)

    def _blocks(self, x: torch.Tensor) -> torch.Tensor:
        return self.block3(self.block2(self.block1(x)))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Last convolution's activations: (N, 1, S, S) to (N, 128, S/16, S/16)."""
        return bilateral(self._blocks, x)

    def head(self, f: torch.Tensor) -> torch.Tensor:
        """Global average pooling and the linear layer: feature map to logits (N,)."""
        return self.classifier(self.dropout(f.mean((2, 3)))).squeeze(1)


@register
class ResNet18(ResNet, Network):
    """torchvision's ResNet-18 (He et al. 2016) with one pneumonia logit.

    Parameters keep torchvision's names, so that its state dicts load as they are. `layer4` does
    not halve the map: its convolutions are dilated instead (Yu, Koltun and Funkhouser 2017), so
    that they see what they would have seen, in every cell instead of every second one.
    """

    name = "resnet18"
    title = "ResNet-18"
    conv1: nn.Conv2d
    bn1: nn.Module
    relu: nn.Module
    maxpool: nn.Module
    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential
    fc: nn.Module

    def __init__(self) -> None:
        super().__init__(BasicBlock, [2, 2, 2, 2], num_classes=1)
        # torchvision's own replace_stride_with_dilation refuses blocks of two convolutions.
        first: Any
        second: Any
        first, second = self.layer4
        first.conv1.stride = first.downsample[0].stride = (1, 1)
        for convolution in (first.conv2, second.conv1, second.conv2):
            convolution.dilation = convolution.padding = (2, 2)

    def _layers(self, x: torch.Tensor) -> torch.Tensor:
        # A grey image shown to three colour channels: one convolution with the summed weights.
        grey = self.conv1.weight.sum(1, keepdim=True)
        x = functional.conv2d(x, grey, stride=2, padding=3)
        x = self.maxpool(self.relu(self.bn1(x)))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Activations of `layer4`: (N, 1, S, S) to (N, 512, S/16, S/16)."""
        return bilateral(self._layers, x)

    def head(self, f: torch.Tensor) -> torch.Tensor:
        """Global average pooling and the linear layer: feature map to logits (N,)."""
        return self.fc(f.mean((2, 3))).squeeze(1)

    forward = Network.forward  # not torchvision's
