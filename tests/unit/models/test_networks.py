"""The networks: sizes, the split of forward, the registry."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from pneumo.models import networks
from pneumo.models.networks import PneumoniaCNN, ResNet18, build, network_names


def test_cnn_has_three_blocks_of_32_64_128_and_few_parameters():
    network = PneumoniaCNN()
    ends = [
        [m for m in block.modules() if isinstance(m, nn.Conv2d)][-1].out_channels
        for block in (network.block1, network.block2, network.block3)
    ]
    assert ends == [32, 64, 128]
    assert [m.p for m in network.modules() if isinstance(m, nn.Dropout)] == [0.5]
    assert sum(p.numel() for p in network.parameters()) <= 3_000_000


def test_resnet_is_torchvisions_with_one_logit():
    theirs = {k: v.shape for k, v in resnet18(num_classes=1).state_dict().items()}
    assert {k: v.shape for k, v in ResNet18().state_dict().items()} == theirs


def test_every_second_cell_of_resnets_map_is_torchvisions():
    torch.manual_seed(0)
    mine, theirs = ResNet18().eval(), resnet18(num_classes=1).eval()
    theirs.load_state_dict(mine.state_dict())
    x = torch.randn(2, 1, 128, 128)
    maps = []
    theirs.layer4.register_forward_hook(lambda layer, given, result: maps.append(result))
    theirs(x.repeat(1, 3, 1, 1))  # the grey film in all three colours
    features = mine.features(x)
    assert features.shape == (2, 512, 8, 8)
    torch.testing.assert_close(features[..., ::2, ::2], maps[0])
    torch.testing.assert_close(mine(x), theirs.fc(features.mean((2, 3)))[:, 0])


@pytest.mark.parametrize("name", network_names())
def test_forward_is_head_of_features(name):
    torch.manual_seed(0)
    network, x = build(name).eval(), torch.randn(3, 1, 224, 224)
    logits = network(x)
    assert logits.shape == (3,)
    assert torch.equal(logits, network.head(network.features(x)))
    assert network.features(x).ndim == 4


def test_unknown_network_is_named():
    with pytest.raises(KeyError, match=r"vgg.*cnn, resnet18"):
        build("vgg")


def test_third_network_needs_only_its_class(monkeypatch):
    monkeypatch.setattr(networks, "NETWORKS", dict(networks.NETWORKS))

    @networks.register
    class Tiny(nn.Module):
        name, title, trunk, learning_rate = "tiny", "Tiny", (), 1e-3

        def __init__(self):
            super().__init__()
            self.convolution, self.linear = nn.Conv2d(1, 4, 3, 8), nn.Linear(4, 1)

        def features(self, x):
            return self.convolution(x)

        def head(self, f):
            return self.linear(f.mean((2, 3))).squeeze(1)

        def forward(self, x):
            return self.head(self.features(x))

    assert networks.network_names() == ("cnn", "resnet18", "tiny")
    assert build("tiny")(torch.zeros(1, 1, 64, 64)).shape == (1,)
