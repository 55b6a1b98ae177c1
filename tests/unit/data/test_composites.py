"""Films of two halves: each half is whose it should be, and its lungs go with it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pneumo.data.composites import joined
from pneumo.data.memory import Films
from pneumo.data.transforms import Augmentation
from pneumo.models.preprocess import Preprocessing
from pneumo.training.batches import Batches
from pneumo.training.making import HALF_ILL
from pneumo.training.recipe import Phase, Recipe

SIZE = 96
PLAIN = Augmentation(crop=1.0, rotation=0, shear=0, flip=0, exposure=0, degrade=0)


def lungs(left: int = 12, width: int = 72) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    lung = width * 28 // 72
    mask[20:70, left : left + lung] = mask[20:70, left + width - lung : left + width] = 255
    return mask


@pytest.mark.parametrize("left", [True, False])
def test_the_halves_are_the_films_and_meet_at_the_middle_of_the_lungs(left):
    square, other = np.full((SIZE, SIZE), 40, np.uint8), np.full((SIZE, SIZE), 200, np.uint8)
    both, whole, own = joined(square, lungs(), other, lungs(), left)
    mine, theirs = (slice(0, 43), slice(53, SIZE)) if left else (slice(53, SIZE), slice(0, 43))
    assert (both[:, mine] == 40).all() and (both[:, theirs] == 200).all()
    assert both[50, 48] == pytest.approx(120, abs=15)
    assert np.array_equal(whole, lungs())
    assert own[:, mine].any() and not own[:, theirs].any()
    assert np.array_equal(own[:, mine], whole[:, mine])


def test_the_other_film_is_moved_until_the_lungs_meet():
    other = np.zeros((SIZE, SIZE), np.uint8)
    small = cv2.resize(lungs(4, 36), (SIZE, SIZE))
    other[small > 0] = 250
    _, whole, own = joined(np.zeros_like(other), lungs(), other, small, True)
    assert cv2.boundingRect(whole) == pytest.approx(cv2.boundingRect(lungs()), abs=2)
    both, *_ = joined(np.zeros_like(other), lungs(), other, small, True)
    assert (both[:, 55:] > 125).mean() == pytest.approx((whole[:, 55:] > 0).mean(), abs=0.03)
    assert not (both[own > 0] > 200).any()


def test_a_step_has_such_films_of_both_classes_and_knows_the_ill_half():
    # Films of pneumonia are bright, normal ones dark: one sees whose a half is.
    y = np.arange(40) % 2
    squares = np.where(y[:, None, None], 200, 40).astype(np.uint8) * np.ones((1, SIZE, SIZE), "u1")
    films = Films(squares, y, dict.fromkeys(range(30), lungs()), {}, {0: "a", 1: "b"})
    recipe = Recipe("cnn", size=SIZE, augmentation=PLAIN, batch=40)
    made = Batches(films, recipe, Preprocessing(SIZE))
    batch = made.batch(np.arange(40), 0, 0, SIZE, Phase("a", 1, 1e-3, evidence=1.0, halves=0.5))
    places = batch.judged[batch.halves].numpy()
    assert 8 <= len(places) <= 20 and set(y[places]) == {0, 1}
    assert not {0, 1} & set(places)  # adults are not joined
    assert (batch.targets[places] == HALF_ILL).all()
    others = np.setdiff1d(np.arange(40), places)
    assert batch.targets[others].tolist() == y[others].tolist()
    coarse = batch.films[places, :, 2::4, 2::4]
    for film, whole, ill in zip(coarse, batch.lungs[batch.halves], batch.ill, strict=True):
        healthy = (whole > 0.9) & (ill < 0.1)
        assert film[ill > 0.9].min() > 1 > 0 > film[healthy].max()
