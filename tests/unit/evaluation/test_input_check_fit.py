"""Fitting a guard on drawn films and drawn other pictures, and the table of what it then does."""

from __future__ import annotations

import json
import shutil
from argparse import ArgumentParser

import cv2
import numpy as np
import pytest

from pneumo.commands import guard as command
from pneumo.data.dataset import FIT, HELD_OUT, DataError, halves
from pneumo.evaluation.guard_material import (
    CHANGES,
    PHANTOMS,
    Sources,
    changed,
    originals,
    specimens,
)
from pneumo.evaluation.guard_pictures import DRAWERS, drawn
from pneumo.imaging.phantom import phantom
from pneumo.models.checkpoint import load
from pneumo.reading.input_check import load_guard
from pneumo.reading.reader import Reader


@pytest.fixture(scope="module")
def not_chest(tmp_path_factory):
    """Two kinds of pictures with enough to fit on, and one with too few."""
    folder = tmp_path_factory.mktemp("not_chest")
    for kind, count in (("shapes", 24), ("document", 24), ("chart", 3)):
        (folder / f"a_{kind}").mkdir()
        for seed in range(count):
            cv2.imwrite(str(folder / f"a_{kind}" / f"{seed}.png"), drawn(kind, 500 + seed, 128))
    return folder


@pytest.fixture(scope="module")
def fitted(stand_ins, drawn_dataset, not_chest, tmp_path_factory):
    """A checkpoint folder in which `guard fit` ran for one network, and what it printed."""
    folder = tmp_path_factory.mktemp("fitted")
    for path in stand_ins.glob("cnn.*"):
        shutil.copy(path, folder)
    patch = pytest.MonkeyPatch()
    patch.setenv("PNEUMO_CHECKPOINTS", str(folder))
    patch.setattr(command, "EXAMPLES", folder)
    words = [
        "--data",
        str(drawn_dataset),
        "--not-chest",
        str(not_chest),
        "--model",
        "cnn",
        "--drawn",
        "6",
    ]
    run(["fit", *words, "--score-test"])
    yield folder, words
    patch.undo()


def run(words):
    parser = ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def test_the_fitted_guard_reads_drawn_films_and_refuses_drawn_documents(fitted):
    reader = Reader(load("cnn", fitted[0]))
    films = [cv2.imencode(".png", phantom(9000 + i, 256)[0])[1].tobytes() for i in range(10)]
    pages = [cv2.imencode(".png", drawn("document", 9000 + i))[1].tobytes() for i in range(10)]
    assert sum(r.ok for r in reader.read_many(films)) >= 9
    assert sum(r.status == "refused" for r in reader.read_many(pages)) >= 9


def test_the_file_tells_how_it_was_fitted_and_what_was_measured(fitted):
    guard = load_guard(load("cnn", fitted[0]))
    measured = guard.card["measured"]
    assert measured["auroc"] > 0.9
    rows = {(row["kind"], row["change"]): row for row in measured["table"]}
    assert rows["official test films", "plain"]["n"] == 12
    assert rows["a chart", "plain"]["n"] == 3  # too few to fit on: all are measured
    assert rows["a shapes", "plain"]["n"] == 12
    for row in rows.values():
        assert row["refused"] + row["warned"] + row["read"] == row["n"]
    kinds = {row["kind"] for row in measured["unseen_kinds"]}
    assert kinds == {"a shapes", "a document", "drawn pictures"}
    assert "a chart" not in guard.card["fitted"]["pictures"]


def test_evaluate_prints_the_same_numbers(fitted, capsys, tmp_path):
    folder, words = fitted
    run(["evaluate", *words, "--json", str(tmp_path / "table.json")])
    again = json.loads((tmp_path / "table.json").read_text())[0]
    saved = load_guard(load("cnn", folder)).card["measured"]
    assert again["table"] == [row for row in saved["table"] if "official" not in row["kind"]]
    assert "AUROC" in capsys.readouterr().out


def test_no_patient_and_no_picture_is_in_both_parts(drawn_dataset, not_chest):
    seen = {}
    for picture in originals(Sources(drawn_dataset, not_chest, films=20, drawn=2)):
        assert seen.setdefault(picture.group, picture.part) == picture.part
    assert set(seen.values()) == {FIT, HELD_OUT}


def test_patients_and_small_kinds_are_split_rightly(tmp_path):
    paths = [tmp_path / f"{patient:03d}_{i}.png" for patient in range(6) for i in range(3)]
    parts = halves(paths)
    assert all(len({parts[p] for p in paths if p.name[:3] == f"{n:03d}"}) == 1 for n in range(6))
    assert set(parts.values()) == {FIT, HELD_OUT}
    assert set(halves(paths[:4]).values()) == {HELD_OUT}


@pytest.mark.parametrize("change", CHANGES)
def test_changes_keep_shape_and_are_repeatable(change):
    square = phantom(2, 96)[0]
    one, two = (changed(square, change, np.random.default_rng(7)) for _ in range(2))
    assert one.shape == square.shape and one.dtype == np.uint8 and np.array_equal(one, two)


def test_turns_are_clockwise():
    square = np.zeros((8, 8), np.uint8)
    square[0] = 255
    assert changed(square, "turned 90", None)[:, -1].min() == 255


@pytest.mark.parametrize("kind", DRAWERS)
def test_drawn_pictures_are_repeatable_and_differ(kind):
    assert np.array_equal(drawn(kind, 3, 64), drawn(kind, 3, 64))
    assert not np.array_equal(drawn(kind, 3, 64), drawn(kind, 4, 64))


def test_phantoms_are_never_changed_copies(drawn_dataset, not_chest):
    sources = Sources(drawn_dataset, not_chest, films=20, drawn=2)
    pictures = list(specimens(sources, HELD_OUT))
    assert {p.change for p in pictures if p.kind == PHANTOMS} == {"plain"}
    # No copy is made so small that it is warned of for that.
    whole = [
        p.radiograph.pixels.shape
        for p in specimens(sources, FIT)
        if p.chest and p.change not in ("plain", "cropped", "varied")
    ]
    assert set(whole) == {(224, 224)}


def test_folders_without_pictures_are_named(drawn_dataset, tmp_path):
    with pytest.raises(DataError, match="sub-folder"):
        list(originals(Sources(drawn_dataset, tmp_path)))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty"):
        list(originals(Sources(drawn_dataset, tmp_path)))
