"""Evidence maps: parity with a plain full-backward Grad-CAM, and nothing left behind."""

import pytest
import torch

from pneumo.models.networks import NETWORKS, build
from pneumo.reading.explanation import evidence, evidence_map
from tests.radiographs import synthetic


def images(stand_in, *seeds: int) -> torch.Tensor:
    return torch.cat([stand_in.preprocessing(synthetic(seed, size=128)) for seed in seeds])


def plain_gradcam(network, x):
    """Signed Grad-CAM as it is usually written: hooks and a backward pass through everything."""
    kept = {}
    x = x.clone().requires_grad_()
    for p in network.parameters():
        p.requires_grad_(True)
    original = network.features

    def watched(batch):
        kept["map"] = original(batch)
        kept["map"].retain_grad()
        return kept["map"]

    logits = network.head(watched(x))
    logits.sum().backward()
    assert x.grad is not None  # it did go all the way down
    weights = kept["map"].grad.mean((2, 3), keepdim=True)
    return logits.detach(), (weights * kept["map"]).sum(1).detach()


def test_same_map_as_full_backward_and_nothing_is_left_behind(stand_in):
    network, x = stand_in.network, images(stand_in, 1, 2, 3)
    before = {k: v.clone() for k, v in network.state_dict().items()}
    logits, found = evidence(network, x)
    assert not (logits.requires_grad or found.requires_grad or network.training)
    assert all(p.grad is None and not p.requires_grad for p in network.parameters())
    assert not [m for m in network.modules() if m._forward_hooks or m._backward_hooks]
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
    reference = build(stand_in.name).eval()
    reference.load_state_dict(before)
    their_logits, theirs = plain_gradcam(reference, x)
    torch.testing.assert_close(logits, their_logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found, theirs, atol=1e-5, rtol=0)
    # Equal maps of zeros would prove nothing: the difference is small beside the map itself.
    assert (found - theirs).abs().max() < 1e-3 * found.abs().max()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_loss_on_the_map_reaches_features_and_head(name):
    torch.manual_seed(0)
    network = build(name).eval()
    f = network.features(torch.rand(3, 1, 128, 128)).detach().requires_grad_()
    logits, found = evidence_map(network, f, differentiable=True)
    by_cells = torch.autograd.grad(network.head(f).sum(), f, create_graph=True)[0]
    torch.testing.assert_close(found, (by_cells * f).sum(1), atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(logits, network.head(f))
    found.abs().sum().backward()
    assert f.grad.abs().sum() > 0
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_an_unknown_method_is_named(stand_in):
    features = stand_in.network.features(images(stand_in, 1))
    with pytest.raises(ValueError, match=r"sparkle.*grad-cam"):
        evidence_map(stand_in.network, features, method="sparkle")
