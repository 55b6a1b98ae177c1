"""Tests of the synthetic examples: a small model of phantoms goes all the way to cases.json."""

import argparse
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from pneumo.cli import main
from pneumo.data.dataset import Film
from pneumo.evaluation import examples_command
from pneumo.evaluation.distances import (
    code,
    distances_between,
    measured,
    mirrored,
)
from pneumo.evaluation.eigenfilms import eigenfilms
from pneumo.evaluation.example_cases import CASES, ExampleError, judged, read_cases, write
from pneumo.evaluation.sharpen import fitted_anatomy, sharpened
from pneumo.imaging.phantom import Opacity, phantom
from pneumo.models.checkpoint import read_card
from pneumo.training.candidates import candidates, finished, make, slots

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def population():
    """Twenty-four phantoms of 224 x 224, every one another child."""
    return np.stack([phantom(seed, size=224)[0] for seed in range(24)])


@pytest.fixture(scope="module")
def models(population):
    model = eigenfilms(population, components=12, fewest=10)
    return {"NORMAL": model, "PNEUMONIA": model}


@pytest.fixture(scope="module")
def real(population, tmp_path_factory):
    table = [Film(tmp_path_factory.getbasetemp(), 0, str(i), "normal") for i in range(24)]
    return measured([code(film) for film in population], table, [f"film {i}" for i in range(24)])


@pytest.fixture(scope="module")
def case(models, real):
    """The first passable normal film."""
    return next(candidates(slots(2)[0], models, real, range(30), say=lambda line: None))


class Oracle:
    """Stands for a Reader: says one label about every film."""

    def __init__(self, name, label):
        self.name, self.label = name, label

    def read(self, file):
        assert isinstance(file, bytes)
        return SimpleNamespace(label=self.label, probability=0.25, weights_sha256="f" * 64)


def test_eigenfilms_rebuild_the_films_they_were_made_from(population):
    model = eigenfilms(population, components=23, fewest=10)
    flat = population.reshape(24, -1) - model.mean
    rebuilt = flat @ model.components.T @ model.components
    assert np.abs(rebuilt - flat).max() < 1e-6
    assert np.allclose(model.components @ model.components.T, np.eye(23), atol=1e-8)
    assert np.allclose(model.deviations**2, ((flat @ model.components.T) ** 2).mean(axis=0))


def test_samples_repeat_and_spread_as_asked(models):
    model = models["NORMAL"]
    one, again = (model.sample(np.random.default_rng(5)) for _ in range(2))
    assert one.dtype == np.uint8 and one.shape == (224, 224)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, model.sample(np.random.default_rng(6)))
    still = model.sample(np.random.default_rng(5), spread=0.0)
    assert np.array_equal(still.ravel(), np.rint(model.mean).astype(np.uint8))


def test_too_few_films_are_refused(population):
    with pytest.raises(ValueError, match="24 films are too few"):
        eigenfilms(population)


def test_distance_ignores_exposure_and_mirror_but_not_the_child(real, population):
    film = population[3]
    fainter = np.clip(film * 0.7 + 20, 0, 255).astype(np.uint8)
    assert real.nearest(film)[0] < 1e-3
    assert real.nearest(fainter)[1] == "film 3" and real.nearest(fainter)[0] < 0.02
    assert real.nearest(film[:, ::-1].copy())[0] < 1e-3
    assert real.nearest(phantom(500, size=224)[0])[0] > 0.05


def test_distances_between_skip_films_of_the_same_patient():
    rng = np.random.default_rng(0)
    codes = np.stack([code(rng.integers(0, 256, (64, 64), dtype=np.uint8)) for _ in range(4)])
    codes = np.vstack([codes, codes[:1], mirrored(codes[1:2])])
    apart = distances_between(codes, ["a", "b", "c", "d", "a", "e"])
    assert apart[1] < 1e-3 and apart[5] < 1e-3, "a mirror image of another patient is a copy"
    assert apart[0] > 1 and apart[4] > 1, "the same picture of the same patient does not count"
    with pytest.raises(ValueError, match="two patients"):
        distances_between(codes, ["a"] * 6)


def test_detail_does_not_hide_a_copied_film(real, population):
    """What the check is for: a real film that was merely sharpened must not pass."""
    rng = np.random.default_rng(1)
    child, agreement = fitted_anatomy(population[7], rng, tries=150)
    copied = finished(population[7], child, rng, None, seed=1)
    distance, name = real.nearest(copied)
    assert agreement > 0.7
    assert name == "film 7" and distance < real.limit


def test_an_opacity_lies_where_the_case_says(population):
    soft = population[2]
    child, _ = fitted_anatomy(soft, np.random.default_rng(0), tries=150)
    x, y = child.place((0.6, 0.5), -1)[0]
    opacity = Opacity(float(x), float(y), 0.1, "right")
    with_it, without = (
        finished(soft, child, np.random.default_rng(3), place, seed=4).astype(int)
        for place in (opacity, None)
    )
    rows, columns = (np.indices(with_it.shape) + 0.5) / len(with_it)
    away = np.hypot(columns - opacity.x, rows - opacity.y)
    change = with_it - without
    assert change[away < 0.05].mean() > 15
    assert np.abs(change[away > 0.3]).mean() < 1


def test_sharpening_adds_fine_detail_and_keeps_the_rest(models):
    soft = models["NORMAL"].sample(np.random.default_rng(2))
    rng = np.random.default_rng(2)
    child, _ = fitted_anatomy(soft, rng, tries=150)
    sharp = sharpened(soft, child, rng, size=256)
    large = np.asarray(Image.fromarray(soft).resize((256, 256), Image.Resampling.BICUBIC))
    assert np.corrcoef(sharp.ravel(), large.ravel())[0, 1] > 0.9

    def roughness(film):
        return np.abs(np.diff(film[40:200, 60:200].astype(float), axis=0)).mean()

    assert roughness(sharp * 255) > 1.2 * roughness(large)


def test_a_case_says_all_there_is_to_say(case, real):
    record = case.record()
    assert record["synthetic"] is True and record["truth"] == "NORMAL"
    assert "Synthetic film, no patient" in record["caption"] and record["opacity"] is None
    assert record["distance"] >= record["distance_limit"] == round(real.limit, 4)
    assert record["sha256"] == hashlib.sha256(case.png).hexdigest()
    assert record["readings"] == {} and "png" not in record
    assert len(case.png) <= 250_000
    json.dumps(record)


def test_the_same_seed_makes_the_same_bytes(case, models, real):
    again = next(candidates(slots(2)[0], models, real, [case.seed], say=lambda line: None))
    assert again.png == case.png and again.record() == case.record()


def test_a_film_that_a_network_calls_what_it_is_not_is_none_and_doubt_counts_less(case):
    right, unsure = Oracle("cnn", "NORMAL"), Oracle("resnet18", "UNCERTAIN")
    assert judged(case, [right, Oracle("resnet18", "PNEUMONIA")]) is None
    sure, least, doubted = judged(case, [right, unsure])
    assert (sure, least) == (1, 0.75) and "because cnn agrees." in doubted.caption
    assert "because cnn and resnet18 agree." in judged(
        case, [right, Oracle("resnet18", "NORMAL")])[2].caption
    assert "Chosen" not in judged(case, [unsure])[2].caption
    _, _, kept = judged(case, [right])
    assert kept.readings["cnn"] == {
        "label": "NORMAL", "probability": 0.25, "weights_sha256": "f" * 64
    }  # fmt: skip
    assert "cnn" in kept.caption and kept.png == case.png
    assert judged(case, []) == (0, 1.0, case)


def test_tries_are_bounded(models, real):
    with pytest.raises(ExampleError, match="None of 1 candidates"):
        make(slots(2)[:1], models, real, [Oracle("cnn", "PNEUMONIA")], tries=1)


def test_slots_are_half_and_half_with_opacities_on_both_sides():
    drawn = slots(8)
    assert sum(slot.truth == "NORMAL" for slot in drawn) == 4
    assert {"right", None} == {s.side for s in drawn if s.truth == "PNEUMONIA"}
    assert all(slot.model == "NORMAL" for slot in drawn if slot.side)
    for count in (0, 7):
        with pytest.raises(ExampleError):
            slots(count)


def test_written_cases_are_read_back_and_old_pictures_go(case, tmp_path):
    (tmp_path / "mine.png").write_bytes(case.png)
    (tmp_path / "old.png").write_bytes(case.png)
    (tmp_path / CASES).write_text('[{"file": "old.png"}]')
    write([case], tmp_path)
    assert read_cases(tmp_path) == [case.record()]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([CASES, "mine.png", case.file])
    with Image.open(tmp_path / case.file) as picture:
        assert picture.format == "PNG" and picture.mode == "L" and min(picture.size) >= 512


def test_report_fails_what_is_near_changed_missing_or_not_listed(case, real, population, tmp_path):
    write([case], tmp_path)
    cases = read_cases(tmp_path)
    assert examples_command.report(tmp_path, cases, real) == 0
    Image.fromarray(population[0]).save(tmp_path / "copy.png")
    assert examples_command.report(tmp_path, cases, real) == 1
    copy = (tmp_path / "copy.png").read_bytes()
    near = {"file": "copy.png", "sha256": hashlib.sha256(copy).hexdigest()}
    assert examples_command.report(tmp_path, [*cases, near], real) == 1
    (tmp_path / "copy.png").unlink()
    assert examples_command.report(tmp_path, [*cases, near], real) == 1
    (tmp_path / case.file).write_bytes(copy)
    assert examples_command.report(tmp_path, cases, real) == 1


@pytest.mark.parametrize(
    "words", [["distances", "--folder", "empty"], ["make", "--count", "3", "--models"]]
)
def test_commands_say_what_is_wrong(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    parser = argparse.ArgumentParser()
    examples_command.add_arguments(parser)
    assert examples_command.run(parser.parse_args([*words, "--data", "nowhere"])) == 1
    assert capsys.readouterr().err.strip().endswith((".", "DIR"))


def test_make_without_a_dataset_says_how_to_get_it(tmp_path, capsys):
    parser = argparse.ArgumentParser()
    examples_command.add_arguments(parser)
    args = parser.parse_args(["make", "--data", str(tmp_path), "--out", str(tmp_path / "x")])
    args.models = []
    assert examples_command.run(args) == 2
    assert "data download" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("words", [["--seed", "-1"], ["--tries", "0"], ["--tries", "many"]])
def test_wrong_numbers_are_wrong_usage(words, capsys):
    parser = argparse.ArgumentParser()
    examples_command.add_arguments(parser)
    with pytest.raises(SystemExit) as left:
        parser.parse_args(["make", "--data", "x", *words])
    assert left.value.code == 2 and words[1] in capsys.readouterr().err


def test_films_are_read_again_after_new_weights(tmp_path, capsys):
    for path in (ROOT / "examples").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    before = json.loads((tmp_path / "cases.json").read_text())
    old = " Chosen because an older network agrees."
    stale = [{**case, "readings": {}, "caption": case["caption"].split(" Chosen")[0] + old}
             for case in before]
    (tmp_path / "cases.json").write_text(json.dumps(stale))
    assert main(["examples", "reread", "--folder", str(tmp_path)]) == 0
    after = json.loads((tmp_path / "cases.json").read_text())
    for case, old in zip(after, before, strict=True):
        assert {**case, "readings": 0} == {**old, "readings": 0}  # nothing else is touched
        for name, reading in case["readings"].items():
            assert reading["weights_sha256"] == read_card(name)["weights"]["sha256"]
    assert capsys.readouterr().out.count("synthetic-") == len(before)
    # A film that is called what it is not fails the command.
    liar = [{**after[0], "truth": "PNEUMONIA" if after[0]["truth"] == "NORMAL" else "NORMAL"}]
    (tmp_path / "cases.json").write_text(json.dumps(liar))
    assert main(["examples", "reread", "--folder", str(tmp_path)]) == 1
