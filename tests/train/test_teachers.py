"""What trained networks teach: the mean of their answers, and to whom they may teach it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pneumo.data.dataset import DataError
from pneumo.data.memory import Films
from pneumo.imaging.phantom import phantom
from pneumo.models.checkpoint import CheckpointError, load, read_card, save
from pneumo.models.preprocess import Preprocessing
from pneumo.training.initial import start
from pneumo.training.recipe import Recipe
from pneumo.training.teachers import Committee, load_teachers, of_side, told_of
from pneumo.training.trainer import Trainer

SIZE = 64


class Says(torch.nn.Module):
    """A network that gives every film the same logit and knows the side of the films it saw."""

    side = 0

    def __init__(self, logit: float) -> None:
        super().__init__()
        self.logit = logit

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        self.side = films.shape[-1]
        return torch.full((len(films),), self.logit, dtype=films.dtype)


def test_a_committee_answers_with_the_mean_probability():
    films = torch.zeros(3, 1, 8, 8, dtype=torch.bfloat16)
    logits = (-1.0, 0.5, 4.0)
    answer = Committee([Says(logit) for logit in logits], [8] * 3)(films)
    assert answer.shape == (3,) and answer.dtype == torch.float32
    mean = torch.tensor(logits).sigmoid().mean()
    torch.testing.assert_close(answer.sigmoid(), mean.expand(3), rtol=0, atol=1e-6)
    # Of one it is that one; one that is sure beyond all numbers spoils nothing.
    torch.testing.assert_close(Committee([Says(0.5)], [8])(films.float()), torch.full((3,), 0.5))
    assert Committee([Says(200.0)], [8])(films).isfinite().all()


@pytest.mark.parametrize("side", [28, 64, 100])
def test_a_teacher_sees_what_preprocessing_would_show_it(side):
    film = phantom(2, size=64)[0]
    mine = Preprocessing(64)
    shown = of_side(mine.tensor(film), side)
    meant = Preprocessing(side)(film)
    assert shown.shape == (1, 1, side, side)
    # The picture library rounds to whole grey levels on the way, twice.
    assert (shown - meant).abs().max() < 2.1 / 255 / mine.std


@pytest.fixture
def films() -> Films:
    rng = np.random.default_rng(0)
    lungs = np.zeros((SIZE, SIZE), np.uint8)
    lungs[10:50, 8:56] = 255
    squares = rng.integers(0, 255, (24, SIZE, SIZE), dtype=np.uint8)
    return Films(squares, np.arange(24) % 2, dict.fromkeys(range(0, 24, 3), lungs))


def test_teachers_draw_the_targets_towards_their_answer_but_for_hidden_lungs(films):
    spec = Recipe("cnn", epochs=1, lung_epochs=1, early_distil=0.7, distil=0.5, hidden=0.0,
                  replaced=0.0, size=SIZE, batch=16, evidence=0.5, unfreeze="all")
    network, initial = start("cnn", "scratch", 0)
    sure = Says(9.0)
    parts = (films, films, Preprocessing(SIZE))
    run = Trainer(network, spec, initial.fresh_modules, *parts, log=lambda line: None,
                  teacher=Committee([sure, other := Says(9.0)], [SIZE // 2, SIZE]))
    early, phase = run.phases
    assert (early.distil, phase.distil) == (0.7, 0.5)
    run._enter(phase)
    batch = run.batches.batch(np.arange(8), 0, 0, SIZE, phase)
    targets = batch.targets.clone()
    targets[0] = batch.targets[0] = 0.5
    taught = run.loss._taught(batch, targets, 0.5)
    assert taught[0] == 0.5
    assert torch.allclose(taught[1:], 0.5 * targets[1:] + 0.5, atol=1e-3)
    assert (sure.side, other.side) == (SIZE // 2, SIZE)  # each sees films of its own side
    assert not any(isinstance(module, Says) for module in run.loss.modules())
    run.run()
    assert np.isfinite(run.history[-1]["loss"])
    with pytest.raises(ValueError, match="needs a trained network"):
        Trainer(network, spec, initial.fresh_modules, *parts, log=lambda line: None)


def test_teachers_are_checkpoints_that_know_no_more_than_the_run_may(stand_ins, tmp_path):
    recipe, preprocessing = Recipe("cnn", fold=1), load("cnn", stand_ins).preprocessing
    cards = [stand_ins / "cnn.json", stand_ins / "resnet18.json"]
    found = load_teachers(cards, recipe, "f" * 64, replace(preprocessing, size=96))
    assert [told_of(one)["name"] for one in found] == ["cnn", "resnet18"]
    with pytest.raises(CheckpointError):
        load_teachers([tmp_path / "cnn.json"], recipe, "f" * 64, preprocessing)

    card = read_card("cnn", stand_ins)
    card["training"] = {**card["training"], "recipe": recipe.record()}
    card["data"] = {"fingerprint": "f" * 64}
    save(found[0].network, card, tmp_path)
    own = [tmp_path / "cnn.json"]
    (one,) = load_teachers(own, recipe, "f" * 64, preprocessing)
    assert told_of(one) == {"name": "cnn", "seed": 0, "sha256": one.weights_sha256}
    for other in ((replace(recipe, fold=2), "f" * 64, preprocessing),
                  (replace(recipe, folds=5), "f" * 64, preprocessing),
                  (recipe, "0" * 64, preprocessing),
                  (recipe, "f" * 64, replace(preprocessing, mean=0.5))):
        with pytest.raises(DataError, match="may not teach this run"):
            load_teachers(own, *other)
