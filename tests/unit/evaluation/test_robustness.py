"""Robustness: every corruption changes what it says, alike for any radiograph."""

from __future__ import annotations

import numpy as np
import pytest

from pneumo.data import dataset
from pneumo.data.transforms import generator
from pneumo.evaluation.predictions import probabilities_of
from pneumo.evaluation.robustness import CORRUPTIONS, measure
from tests.radiographs import synthetic


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return synthetic(2, size=224)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_gives_a_new_image_and_repeats_itself(name, image):
    before = image.copy()
    changed = CORRUPTIONS[name](image, generator(1))
    assert changed.dtype == np.uint8 and changed.ndim == 2
    assert np.array_equal(image, before)
    same = changed.shape == image.shape and np.array_equal(changed, image)
    assert same == (name == "none")
    assert np.array_equal(changed, CORRUPTIONS[name](image, generator(1)))


def test_rates_are_those_of_the_predictions(stand_in, drawn_dataset, monkeypatch):
    kept = {name: CORRUPTIONS[name] for name in ("none", "inverted")}
    monkeypatch.setattr("pneumo.evaluation.robustness.CORRUPTIONS", kept)
    table = dataset.samples(drawn_dataset, "test")
    clean, inverted = measure(stand_in, table)
    assert (clean.name, inverted.name, clean.n) == ("none", "inverted", 12)
    images = [dataset.read_radiograph(sample.path).pixels for sample in table]
    p, y = probabilities_of(stand_in, images), dataset.labels(table)
    assert clean.sensitivity == (p[y == 1] >= stand_in.card.threshold).mean()
    assert clean.specificity == (p[y == 0] < stand_in.card.threshold).mean()
    assert inverted.auc == clean.auc, "an inverted radiograph is noticed and turned back"
