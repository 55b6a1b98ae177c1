"""Several teachers answer as one, with the mean of their probabilities."""

from __future__ import annotations

import pytest
import torch

from pneumo.models.checkpoint import CheckpointError
from pneumo.training.teachers import Committee, load_teachers


class Says(torch.nn.Module):
    """Gives every film the same logit."""

    def __init__(self, logit: float) -> None:
        super().__init__()
        self.logit = logit

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        return torch.full((len(films),), self.logit, dtype=films.dtype)


def test_a_committee_answers_with_the_mean_probability():
    films = torch.zeros(3, 1, 8, 8, dtype=torch.bfloat16)
    logits = (-1.0, 0.5, 4.0)
    answer = Committee([Says(logit) for logit in logits])(films)
    assert answer.shape == (3,) and answer.dtype == torch.float32
    mean = torch.tensor(logits).sigmoid().mean()
    torch.testing.assert_close(answer.sigmoid(), mean.expand(3), rtol=0, atol=1e-6)
    # Of one it is that one; one that is sure beyond all numbers spoils nothing.
    torch.testing.assert_close(Committee([Says(0.5)])(films.float()), torch.full((3,), 0.5))
    assert Committee([Says(200.0)])(films).isfinite().all()


def test_teachers_are_checkpoints(stand_ins, tmp_path):
    found = load_teachers([stand_ins / "cnn.json", stand_ins / "resnet18.json"])
    assert [one.name for one in found] == ["cnn", "resnet18"]
    with pytest.raises(CheckpointError):
        load_teachers([tmp_path / "cnn.json"])
