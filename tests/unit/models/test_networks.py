"""The networks: locality, evidence that adds up, mirror equivariance, torchvision's parameters."""

import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from pneumo.models.networks import NETWORKS, PneumoniaCNN, ResNet18
from pneumo.reading.explanation import evidence_map
from tests.cards import lively

SIZE = 128
BOTH = pytest.mark.parametrize("name", NETWORKS)


@BOTH
def test_no_cell_over_one_hemithorax_depends_on_the_other(name):
    network, x = lively(name, torch.randn(8, 1, SIZE, SIZE)), torch.randn(1, 1, SIZE, SIZE)
    changed = x.clone()
    changed[..., SIZE // 2 :] = torch.randn(SIZE, SIZE // 2)
    with torch.no_grad():
        before, after = network.features(x), network.features(changed)
    half = before.shape[-1] // 2
    assert torch.equal(before[..., :half], after[..., :half])
    assert not torch.allclose(before[..., half:], after[..., half:])


@BOTH
def test_evidence_adds_up_to_the_logit_less_the_bias_and_is_mirrored_with_the_image(name):
    network, x = lively(name, torch.randn(8, 1, SIZE, SIZE)), torch.randn(2, 1, SIZE, SIZE)
    features = network.features(x)
    logits, evidence = evidence_map(network, features)
    bias = network.head(torch.zeros_like(features))
    torch.testing.assert_close(evidence.sum((1, 2)), logits - bias)
    mirrored, mirrored_map = evidence_map(network, network.features(x.flip(-1)))
    torch.testing.assert_close(mirrored_map, evidence.flip(-1))
    torch.testing.assert_close(mirrored, logits)


def test_cnn_has_three_blocks_and_resnet_is_torchvisions_with_one_logit():
    network = PneumoniaCNN()
    blocks = (network.block1, network.block2, network.block3)
    ends = [[m for m in block.modules() if isinstance(m, nn.Conv2d)][-1] for block in blocks]
    assert [end.out_channels for end in ends] == [32, 64, 128]
    assert sum(p.numel() for p in network.parameters()) <= 3_000_000
    theirs = {k: v.shape for k, v in resnet18(num_classes=1).state_dict().items()}
    assert {k: v.shape for k, v in ResNet18().state_dict().items()} == theirs
