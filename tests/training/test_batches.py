"""Batches: the same films whoever makes them, beside the step or between steps."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from pneumo.imaging.phantom import phantom
from pneumo.models.preprocess import Preprocessing
from pneumo.training import batches
from pneumo.training.batches import Batches
from pneumo.training.memory import Films
from pneumo.training.recipe import Recipe, phases

SIZE = 48


@pytest.fixture(scope="module")
def made() -> Batches:
    films = np.stack([phantom(seed, SIZE)[0] for seed in range(20)])
    lungs = np.zeros((SIZE, SIZE), np.uint8)
    lungs[10:40, 6:20] = lungs[10:40, 28:42] = 255
    recipe = Recipe("cnn", batch=8, size=SIZE, evidence=1.0, early_hidden=0.3, early_replaced=0.3)
    held = Films(films, np.arange(20) % 2, dict.fromkeys(range(20), lungs))
    return Batches(held, recipe, Preprocessing(SIZE))


def epoch(made: Batches) -> list:
    return list(made.epoch(1, SIZE, phases(made.recipe, ())[0]))


def test_films_made_between_steps_are_those_made_beside_them(made, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: torch.get_num_threads() + 1)
    beside = epoch(made)
    monkeypatch.setattr(os, "cpu_count", torch.get_num_threads)
    monkeypatch.setattr(made, "_ahead", None)  # not asked now
    between = epoch(made)
    assert len(beside) == len(between) == 2
    for one, other in zip(beside, between, strict=True):
        for name in ("films", "targets", "lungs", "judged"):
            assert torch.equal(getattr(one, name), getattr(other, name)), name
        assert (one.start, one.of) == (other.start, other.of)


def test_an_epoch_left_early_leaves_no_thread_behind(made, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: torch.get_num_threads() + 1)
    before = batches.threading.active_count()
    for batch in made.epoch(0, SIZE, phases(made.recipe, ())[0]):
        assert batch.films.shape == (10, 1, SIZE, SIZE)
        break
    for thread in batches.threading.enumerate()[before:]:
        thread.join(10)
    assert batches.threading.active_count() <= before
