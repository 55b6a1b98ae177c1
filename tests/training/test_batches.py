"""Batches: the same films whoever makes them, beside the step or between steps."""

from __future__ import annotations

import os
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from pneumo.imaging.phantom import phantom
from pneumo.models.preprocess import Preprocessing
from pneumo.training.batches import Batches
from pneumo.training.memory import Films
from pneumo.training.processes import Processes
from pneumo.training.recipe import Recipe, phases

SIZE = 48


@pytest.fixture(scope="module")
def made() -> Batches:
    films = np.stack([phantom(seed, SIZE)[0] for seed in range(20)])
    lungs = np.zeros((SIZE, SIZE), np.uint8)
    lungs[10:40, 6:20] = lungs[10:40, 28:42] = 255
    recipe = Recipe("cnn", batch=2, size=SIZE, evidence=1.0, early_hidden=0.3, early_replaced=0.3)
    held = Films(films, np.arange(20) % 2, dict.fromkeys(range(20), lungs))
    return Batches(held, recipe, Preprocessing(SIZE))


def epoch(made: Batches) -> list:
    return list(made.epoch(1, SIZE, phases(made.recipe, ())[0]))


def test_films_made_between_steps_are_those_made_beside_them(made, monkeypatch):
    asked = []
    beside_it = made._ahead
    monkeypatch.setattr(made, "_ahead", lambda *words: asked.append(words) or beside_it(*words))
    cores = 2 * torch.get_num_threads() + 1
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    beside = epoch(made)
    assert len(asked) == 1
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")  # the cores are shared: none is spare now
    between = epoch(made)
    assert len(asked) == 1 and len(beside) == len(between) == 10
    for one, other in zip(beside, between, strict=True):
        for name in ("films", "targets", "lungs", "judged", "twins"):
            assert torch.equal(getattr(one, name), getattr(other, name)), name
        assert (one.start, one.of) == (other.start, other.of)


def test_an_epoch_left_early_leaves_no_thread_behind(made, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: torch.get_num_threads() + 1)
    before = set(threading.enumerate())
    films = made.epoch(0, SIZE, phases(made.recipe, ())[0])
    assert next(films).films.shape == (2, 1, SIZE, SIZE)
    started = set(threading.enumerate()) - before
    assert started  # ten batches do not fit into what is made ahead: it waits
    films.close()
    for thread in started:
        thread.join(10)
    assert not any(thread.is_alive() for thread in started)


def test_twins_are_mirror_images_and_nothing_else_changes(made):
    plain = phases(made.recipe, ())[0]
    asked = replace(plain, mirror=1.0)
    indices = np.arange(20)
    without, batch = (made.batch(indices, 0, 0, SIZE, phase) for phase in (plain, asked))
    places = [1, 10, 19]  # after the films at 0, 8 and 16
    own = [i for i in range(23) if i not in places]
    assert batch.of == len(batch.films) == 23 and len(without.twins) == 0
    assert torch.equal(batch.films[own], without.films)
    assert torch.equal(batch.films[places], batch.films[[p - 1 for p in places]].flip(3))
    assert torch.equal(batch.targets[own], without.targets)
    hidden = [p for p in places if batch.targets[p] == 0.5]
    assert batch.twins.tolist() == [p for p in places if p not in hidden]
    lungs = dict(zip(batch.judged.tolist(), batch.lungs, strict=True))
    for place in batch.twins.tolist():
        assert torch.equal(lungs[place], lungs[place - 1].flip(2))


def test_processes_share_a_step_with_twins_as_one_sees_it(made):
    asked = replace(phases(made.recipe, ())[0], mirror=1.0)
    whole = made.batch(np.arange(20), 0, 0, SIZE, asked)
    for count in (2, 3):
        parts = []
        for rank in range(count):
            one = Batches(made.films, made.recipe, made.preprocessing, Processes(rank, count).share)
            parts.append(one.batch(np.arange(20), 0, 0, SIZE, asked))
        assert torch.equal(torch.cat([p.films for p in parts]), whole.films)
        assert torch.equal(torch.cat([p.twins + p.start for p in parts]), whole.twins)
        assert {p.of for p in parts} == {whole.of}
