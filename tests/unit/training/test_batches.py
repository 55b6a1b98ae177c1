"""Batches: the same films whoever makes them, beside the step or between steps."""

from __future__ import annotations

import os
import threading
from copy import deepcopy
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from pneumo.data.memory import Films
from pneumo.imaging.phantom import phantom
from pneumo.models.preprocess import Preprocessing
from pneumo.training import batches
from pneumo.training.batches import Batches
from pneumo.training.processes import Processes
from pneumo.training.recipe import Recipe, phases
from pneumo.training.team import Team, can_fork

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
    phase = replace(phases(made.recipe, ())[0], halves=0.4)
    # Copies: where films are made between steps, they lie in the same memory again and again.
    return [deepcopy(batch) for batch in made.epoch(1, SIZE, phase)]


@pytest.mark.parametrize("forks", [
    False, pytest.param(True, marks=pytest.mark.skipif(not can_fork(), reason="no forks here"))])
def test_films_made_between_steps_are_those_made_beside_them(made, monkeypatch, forks):
    asked = []
    beside_it = made._ahead
    monkeypatch.setattr(made, "_ahead", lambda *words: asked.append(words) or beside_it(*words))
    cores = 3
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    beside = epoch(made)
    assert len(asked) == 1
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")  # the cores are shared: none is spare now
    monkeypatch.setattr(torch, "get_num_threads", lambda: cores)
    monkeypatch.setattr(batches, "can_fork", lambda: forks)
    teams = []
    monkeypatch.setattr(batches, "Team", lambda *words: teams.append(Team(*words)) or teams[-1])
    between = epoch(made)
    assert len(teams) == forks
    assert len(asked) == 1 and len(beside) == len(between) == 10
    assert any(len(batch.halves) for batch in between)
    for one, other in zip(beside, between, strict=True):
        for name in ("films", "targets", "lungs", "judged", "ill", "halves"):
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


def test_processes_share_a_step_as_one_sees_it(made):
    asked = replace(phases(made.recipe, ())[0], halves=0.4)
    whole = made.batch(np.arange(20), 0, 0, SIZE, asked)
    assert len(whole.halves) > 1 and len(whole.ill) == len(whole.halves)
    for count in (2, 3):
        parts = []
        for rank in range(count):
            share = Processes(rank, count).share
            one = Batches(made.films, made.recipe, Preprocessing(SIZE), share)
            parts.append(one.batch(np.arange(20), 0, 0, SIZE, asked))
        for name in ("films", "targets", "lungs", "ill"):
            assert torch.equal(torch.cat([getattr(p, name) for p in parts]), getattr(whole, name))
        judged = torch.cat([p.judged + p.start for p in parts])
        assert torch.equal(judged, whole.judged)
        assert torch.equal(torch.cat([p.judged[p.halves] + p.start for p in parts]),
                           whole.judged[whole.halves])
        assert {p.of for p in parts} == {whole.of} == {20}


@pytest.mark.skipif(not can_fork(), reason="processes cannot be forked here")
@pytest.mark.parametrize("taken", [2, 10])
def test_helpers_end_with_the_epoch(made, monkeypatch, taken):
    threads, teams = (os.cpu_count() or 1) + 1, []
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(batches, "Team", lambda *words: teams.append(Team(*words)) or teams[-1])
    films = made.epoch(0, SIZE, phases(made.recipe, ())[0])
    shapes = [batch.films.shape for batch in islice(films, taken)]
    assert shapes == [(2, 1, SIZE, SIZE)] * taken
    helpers = [helper._process for helper in teams[0]._helpers]
    assert len(helpers) == threads - 1 and all(helper.is_alive() for helper in helpers)
    films.close() if taken < 10 else list(films)
    assert not any(helper.is_alive() for helper in helpers)
