"""Painted films: what is hidden is gone, what is kept is untouched, and labels follow."""

from __future__ import annotations

import numpy as np
import pytest

from pneumo.data.memory import Films
from pneumo.data.painting import hide_lungs, lung_boxes, replace_surroundings
from pneumo.data.transforms import Augmentation, generator
from pneumo.models.preprocess import Preprocessing
from pneumo.training.batches import Batches
from pneumo.training.recipe import Phase, Recipe

SIZE = 96
PLAIN = Augmentation(crop=1.0, rotation=0, shear=0, flip=0, exposure=0, degrade=0)


@pytest.fixture
def lungs() -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[20:70, 12:40] = mask[20:70, 56:84] = 255
    mask[20:30, 12:20] = 0  # no boxes
    mask[90, 90] = 255  # a speck of the drawing
    return mask


@pytest.fixture
def square() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (SIZE, SIZE), np.uint8)


def test_boxes_hold_both_lungs_and_no_speck(lungs):
    boxes = lung_boxes(lungs)
    assert sorted((b[0].start, b[0].stop, b[1].start, b[1].stop) for b in boxes) == [
        (20, 70, 12, 40), (20, 70, 56, 84)]
    wide = lung_boxes(lungs, margin=30)  # cut at the edge of the film
    assert all(rows.start == 0 and columns.start >= 0 for rows, columns in wide)


def test_nothing_of_the_lungs_is_left_in_any_paint(square, lungs):
    inside = (lungs > 127) & (np.indices(lungs.shape)[0] < 80)
    kept_anywhere, paints = np.zeros_like(inside), set()
    for key in range(60):
        painted = hide_lungs(square, lungs, generator(key))
        same = painted == square
        assert same[inside].mean() < 0.05  # by chance a paint has a pixel's grey
        kept_anywhere |= same & ~inside
        paints.add(int(painted[inside].astype(int).std() > 1))
    assert kept_anywhere[~inside].mean() > 0.9  # what lies beside them stays
    assert paints == {0, 1}  # plain and structured


def test_lungs_stay_and_surroundings_go(square, lungs):
    other = 255 - square
    inside = lungs > 127
    foreign = 0
    for key in range(40):
        painted = replace_surroundings(square, lungs, other, generator(key))
        assert np.array_equal(painted[inside], square[inside])
        foreign += (painted[:10] == other[:10]).all()
        assert (painted == square)[:10].mean() < 0.05
    assert 10 < foreign < 30


def films(square: np.ndarray, lungs: np.ndarray, count: int = 40) -> Films:
    labels = np.arange(count) % 2
    return Films(np.stack([square] * count), labels, dict.fromkeys(range(0, count, 2), lungs))


def test_targets_follow_the_paint(square, lungs):
    recipe = Recipe("cnn", size=SIZE, augmentation=PLAIN, batch=40)
    made = Batches(films(square, lungs), recipe, Preprocessing(SIZE))
    indices = np.arange(40)
    plain = made.batch(indices, 0, 0, SIZE, Phase("a", 1, 1e-3, evidence=1.0))
    assert plain.targets.tolist() == (np.arange(40) % 2).tolist()
    assert plain.judged.tolist() == list(range(0, 40, 2))
    painted = made.batch(indices, 0, 0, SIZE, Phase("b", 1, 1e-3, (), 1.0, 1.0, 0.5, 0.5))
    hidden = np.flatnonzero(painted.targets.numpy() == 0.5)
    assert 5 <= len(hidden) <= 15 and not (hidden % 2).any()  # only films with a mask
    assert set(painted.judged.tolist()) == set(range(0, 40, 2)) - set(hidden.tolist())
    same = (painted.films == plain.films).flatten(1).all(1).numpy()
    assert same[1::2].all() and not same[::2].any()
    # Evidence is judged against the lungs, whatever is painted around them.
    assert painted.lungs.shape == (20 - len(hidden), 1, SIZE // 4, SIZE // 4)


def test_without_masks_or_evidence_nothing_is_painted(square, lungs):
    recipe = Recipe("cnn", size=SIZE, batch=40)
    made = Batches(films(square, lungs), recipe, Preprocessing(SIZE))
    batch = made.batch(np.arange(40), 0, 0, SIZE, Phase("c", 1, 1e-3, (), 0.0, 1.0, 0.5, 0.5))
    assert not len(batch.judged) and set(batch.targets.tolist()) == {0.0, 1.0}
