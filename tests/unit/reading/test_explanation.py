"""Grad-CAM: parity with a plain full-backward one, and nothing left behind."""

from __future__ import annotations

import pytest
import torch

from pneumo.imaging.phantom import phantom
from pneumo.models.networks import ResNet18, build, network_names
from pneumo.reading.explanation import evidence, evidence_map


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


def test_same_map_as_full_backward(stand_in):
    x = torch.cat([stand_in.preprocessing(phantom(seed, size=224)[0]) for seed in (1, 2, 3)])
    logits, heat = evidence(stand_in.network, x)
    reference = build(stand_in.name).eval()
    reference.load_state_dict(stand_in.network.state_dict())
    their_logits, their_heat = plain_gradcam(reference, x)
    torch.testing.assert_close(logits, their_logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(heat, their_heat, atol=1e-5, rtol=0)
    # Equal maps of zeros would prove nothing: the difference is small beside the map itself.
    assert (heat - their_heat).abs().max() < 1e-3 * heat.abs().max()


def test_nothing_is_left_behind(stand_in):
    network = stand_in.network
    before = {k: v.clone() for k, v in network.state_dict().items()}
    logits, heat = evidence(network, stand_in.preprocessing(phantom(4, size=224)[0]))
    assert not (logits.requires_grad or heat.requires_grad)
    assert all(p.grad is None and not p.requires_grad for p in network.parameters())
    hooks = [m for m in network.modules() if m._forward_hooks or m._backward_hooks]
    assert hooks == [] and not network.training
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())


def test_batch_of_films_equals_one_by_one(stand_in):
    x = torch.cat([stand_in.preprocessing(phantom(seed, size=224)[0]) for seed in range(3)])
    together = evidence(stand_in.network, x)[1]
    alone = torch.cat([evidence(stand_in.network, film[None])[1] for film in x])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_the_maps_sum_is_the_logit_for_average_pooling():
    torch.manual_seed(0)
    network, f = ResNet18().eval(), torch.rand(2, 512, 7, 7)
    logits, heat = evidence_map(network, f)
    torch.testing.assert_close(heat.sum((1, 2)) + network.fc.bias.detach(), logits)


def test_differentiable_map_reaches_the_features():
    torch.manual_seed(0)
    network = build("cnn").eval()
    f = torch.rand(2, 128, 14, 14, requires_grad=True)
    _, heat = evidence_map(network, f, differentiable=True)
    heat.abs().sum().backward()
    assert f.grad.abs().sum() > 0


@pytest.mark.parametrize("name", network_names())
def test_the_way_by_the_mean_is_the_way_by_every_cell(name, monkeypatch):
    torch.manual_seed(0)
    network = build(name).eval()
    assert network.pools
    f = network.features(torch.rand(3, 1, 96, 96)).detach().requires_grad_()
    found = []
    for pools in (True, False):
        monkeypatch.setattr(type(network), "pools", pools)
        logits, heat = evidence_map(network, f, differentiable=True)
        slope = torch.autograd.grad((heat.abs() * torch.arange(6.0)).sum(), f)[0]
        found.append((logits, heat, slope))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)
