"""The lung segmenter: it learns drawn lungs, and films get fields without losing drawn ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pneumo.data.memory import Films
from pneumo.data.transforms import generator
from pneumo.models.preprocess import Preprocessing
from pneumo.training.segmenter import (
    LungSegmenter,
    overlap,
    predict_lungs,
    train_segmenter,
    with_all_lungs,
)

SIZE = 64


@pytest.fixture(scope="module")
def films() -> Films:
    """Dark ellipses on a bright ground, in random places; two thirds with their field drawn."""
    squares, masks = [], []
    rows, columns = np.indices((SIZE, SIZE))
    for i in range(48):
        rng = generator(i)
        mask = np.zeros((SIZE, SIZE), bool)
        for middle in (20, 44):
            y, x = rng.uniform(28, 36), middle + rng.uniform(-3, 3)
            mask |= ((rows - y) / rng.uniform(15, 20)) ** 2 + ((columns - x) / 8) ** 2 < 1
        square = np.where(mask, 60, 180) + rng.normal(0, 12, mask.shape)
        squares.append(np.clip(square, 0, 255).astype(np.uint8))
        masks.append((mask * 255).astype(np.uint8))
    drawn = {i: masks[i] for i in range(48) if i % 3}
    return Films(np.stack(squares), np.arange(48) % 2, drawn, dict(enumerate(masks)))


def test_it_finds_what_it_was_shown(films):
    network, dice = train_segmenter(films, Preprocessing(SIZE), 0, epochs=25)
    assert dice > 0.85
    unseen = [i for i in range(48) if i not in films.lungs]
    found = predict_lungs(network, films.squares[unseen], Preprocessing(SIZE))
    assert found.dtype == np.uint8 and set(np.unique(found)) <= {0, 255}
    truth = [films.found[i] > 127 for i in unseen]
    assert np.mean([overlap(f > 127, t) for f, t in zip(found, truth, strict=True)]) > 0.85


def test_fields_are_kept_and_taken_from_the_file(films, tmp_path, monkeypatch):
    plain = Films(films.squares, films.labels, films.lungs)
    monkeypatch.setattr("pneumo.training.segmenter.BATCH", 32)
    lines = []
    first = with_all_lungs(plain, Preprocessing(SIZE), 0, tmp_path / "lungs.npz", lines.append)
    assert len(lines) == 1 and "Dice" in lines[0]
    again = with_all_lungs(plain, Preprocessing(SIZE), 0, tmp_path / "lungs.npz", lines.append)
    assert len(lines) == 1  # nothing was learned anew
    assert again.found.keys() == first.found.keys()
    assert all(np.array_equal(again.found[i], f) for i, f in first.found.items())
    assert not set(first.found) & set(first.lungs)
    other = Films(255 - films.squares, films.labels, films.lungs)
    with_all_lungs(other, Preprocessing(SIZE), 0, tmp_path / "lungs.npz", lines.append)
    assert len(lines) == 2  # other films, other fields


def test_too_few_drawn_fields_are_a_sentence(films):
    few = Films(films.squares, films.labels, {0: films.found[0]})
    with pytest.raises(ValueError, match="ten are the least"):
        train_segmenter(few, Preprocessing(SIZE), 0)


def test_shapes_and_overlap():
    assert LungSegmenter()(torch.zeros(2, 1, 48, 48)).shape == (2, 1, 48, 48)
    a = np.zeros((4, 4), bool)
    assert overlap(a, a) == 1.0
    b = a.copy()
    b[0] = True
    assert overlap(a, b) == 0.0 and overlap(b, b) == 1.0
