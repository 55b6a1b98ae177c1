"""Losses on the place of the evidence: smaller where the map is right."""

from __future__ import annotations

import torch

from pneumo.training.losses import location_loss, outside_share, side_loss

LEFT = torch.zeros(1, 8, 8)
LEFT[..., 1:3] = 1
RIGHT = LEFT.flip(-1)


def test_outside_share_is_the_share_of_evidence_outside_the_lungs():
    evidence = LEFT * 3 - RIGHT
    assert outside_share(evidence, LEFT + RIGHT) < 1e-4
    torch.testing.assert_close(outside_share(evidence, LEFT), torch.tensor(0.25))


def test_location_loss_falls_when_evidence_moves_into_the_disease():
    lungs = LEFT + RIGHT
    right, wrong = LEFT - RIGHT, RIGHT - LEFT
    assert location_loss(right, LEFT, lungs) < location_loss(wrong, LEFT, lungs)


def test_location_loss_has_a_slope_where_the_disease_shows_nothing():
    evidence = (RIGHT - LEFT).requires_grad_()
    location_loss(evidence, LEFT, LEFT + RIGHT).backward()
    assert evidence.grad is not None and (evidence.grad[LEFT > 0] < 0).all()


def test_side_loss_is_ln_2_for_a_map_that_does_not_tell():
    torch.testing.assert_close(side_loss(LEFT + RIGHT, LEFT, RIGHT), torch.tensor(2.0).log())
    assert side_loss(LEFT - RIGHT, LEFT, RIGHT) < 0.1
