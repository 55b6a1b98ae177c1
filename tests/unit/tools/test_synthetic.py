"""Synthetic radiographs: a small model of phantoms goes all the way to cases.json."""

import hashlib
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from pneumo.data.dataset import Sample
from pneumo.imaging.phantom import Opacity, phantom
from tools.synthetic import __main__ as command
from tools.synthetic.candidates import Slot, candidates, finished, make, slots
from tools.synthetic.cases import CASES, ExampleError, judged, read_cases, write
from tools.synthetic.distances import (
    code,
    distances_between,
    measured,
    mirrored,
)
from tools.synthetic.eigenradiographs import eigenradiographs
from tools.synthetic.sharpen import fitted_anatomy, sharpened

NORMAL = Slot("NORMAL", 1)


@pytest.fixture(scope="module")
def population():
    """Twenty-four phantoms of 224 x 224, every one another child."""
    return np.stack([phantom(seed, size=224)[0] for seed in range(24)])


@pytest.fixture(scope="module")
def models(population):
    model = eigenradiographs(population, components=12, fewest=10)
    return {"NORMAL": model, "PNEUMONIA": model}


@pytest.fixture(scope="module")
def real(population, tmp_path_factory):
    table = [Sample(tmp_path_factory.getbasetemp(), 0, str(i), "normal") for i in range(24)]
    return measured([code(one) for one in population], table, [f"image {i}" for i in range(24)])


@pytest.fixture(scope="module")
def case(models, real):
    """The first passable normal radiograph."""
    return next(candidates(NORMAL, models, real, range(30), say=lambda line: None))


class Oracle:
    """Stands for a Reader: says one label about every radiograph."""

    def __init__(self, name, label, checks=()):
        self.name, self.label, self.checks = name, label, checks

    def predict(self, file):
        assert isinstance(file, bytes)
        return SimpleNamespace(
            label=self.label, probability=0.25, weights_sha256="f" * 64, checks=self.checks
        )


def test_eigenradiographs_rebuild_the_films_they_were_made_from(population):
    model = eigenradiographs(population, components=23, fewest=10)
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
    with pytest.raises(ValueError, match="too few"):
        eigenradiographs(population)


def test_distance_ignores_exposure_and_mirror_but_not_the_child(real, population):
    image = population[3]
    fainter = np.clip(image * 0.7 + 20, 0, 255).astype(np.uint8)
    assert real.nearest(image)[0] < 1e-3
    assert real.nearest(fainter)[1] == "image 3" and real.nearest(fainter)[0] < 0.02
    assert real.nearest(image[:, ::-1].copy())[0] < 1e-3
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
    """What the check is for: a real image that was merely sharpened must not pass."""
    rng = np.random.default_rng(1)
    child, agreement = fitted_anatomy(population[7], rng, tries=150)
    copied = finished(population[7], child, rng, None, seed=1)
    distance, name = real.nearest(copied)
    assert agreement > 0.7
    assert name == "image 7" and distance < real.limit


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

    def roughness(image):
        return np.abs(np.diff(image[40:200, 60:200].astype(float), axis=0)).mean()

    assert roughness(sharp * 255) > 1.2 * roughness(large)


def test_a_case_says_all_there_is_to_say(case, real):
    record = case.record()
    assert record["synthetic"] is True and record["truth"] == "NORMAL"
    assert "no patient" in record["caption"] and record["opacity"] is None
    assert "normal" not in record["file"] + record["title"].lower(), "a title gives nothing away"
    assert record["distance"] >= record["distance_limit"] == round(real.limit, 4)
    assert record["sha256"] == hashlib.sha256(case.png).hexdigest()
    assert record["readings"] == {} and "png" not in record
    assert len(case.png) <= 250_000
    json.dumps(record)


def test_the_same_seed_makes_the_same_bytes(case, models, real):
    again = next(candidates(NORMAL, models, real, [case.seed], say=lambda line: None))
    assert again.png == case.png and again.record() == case.record()


def test_usual_examples_are_labelled_rightly_and_difficult_ones_are_not(case):
    right, wrong = Oracle("cnn", "NORMAL"), Oracle("resnet18", "PNEUMONIA")
    unsure = Oracle("resnet18", "INDETERMINATE")
    assert judged(case, [right, wrong]) is None
    assert judged(case, [right, unsure])[0] <= judged(case, [right, right])[0]
    assert judged(case, [right])[1].readings["cnn"] == {
        "label": "NORMAL", "probability": 0.25, "weights_sha256": "f" * 64
    }  # fmt: skip
    difficult = replace(case, difficult=True)
    assert judged(difficult, [right]) is None
    assert judged(difficult, [right, unsure]) and judged(difficult, [wrong])


def test_an_example_that_a_check_warns_of_is_none(case):
    warned = SimpleNamespace(outcome="warned")
    assert judged(case, [Oracle("cnn", "NORMAL", (warned,))]) is None


def test_tries_are_bounded(models, real):
    with pytest.raises(ExampleError, match="None of 1 candidates"):
        make([NORMAL], models, real, [Oracle("cnn", "PNEUMONIA")], tries=1)


def test_slots_show_disease_in_both_lungs_and_two_difficult_ones():
    drawn = slots(12)
    assert [slot.number for slot in drawn] == list(range(1, 13))
    assert sum(slot.truth == "NORMAL" for slot in drawn) == 6
    sides = [slot.side for slot in drawn if slot.truth == "PNEUMONIA" and not slot.difficult]
    assert min(sides.count("right"), sides.count("left")) >= 2
    assert [slot.truth for slot in drawn if slot.difficult] in (
        ["NORMAL", "PNEUMONIA"], ["PNEUMONIA", "NORMAL"]
    )  # fmt: skip
    with pytest.raises(ExampleError):
        slots(7)


def test_written_cases_are_read_back_and_old_pictures_go(case, tmp_path):
    (tmp_path / "mine.png").write_bytes(case.png)
    (tmp_path / "old.png").write_bytes(case.png)
    (tmp_path / CASES).write_text('[{"file": "old.png"}]')
    write([case], tmp_path)
    assert read_cases(tmp_path) == [case.record()]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([CASES, "mine.png", case.file])
    with Image.open(tmp_path / case.file) as picture:
        assert picture.format == "PNG" and picture.mode == "L" and min(picture.size) >= 512
        assert "ynthetic" in picture.info["Description"]


def test_report_fails_what_is_near_changed_missing_or_not_listed(case, real, population, tmp_path):
    write([case], tmp_path)
    cases = read_cases(tmp_path)
    assert command.report(tmp_path, cases, real) == 0
    Image.fromarray(population[0]).save(tmp_path / "copy.png")
    assert command.report(tmp_path, cases, real) == 1
    copy = (tmp_path / "copy.png").read_bytes()
    near = {"file": "copy.png", "sha256": hashlib.sha256(copy).hexdigest()}
    assert command.report(tmp_path, [*cases, near], real) == 1
    (tmp_path / "copy.png").unlink()
    assert command.report(tmp_path, [*cases, near], real) == 1
    (tmp_path / case.file).write_bytes(copy)
    assert command.report(tmp_path, cases, real) == 1


@pytest.mark.parametrize(
    "words",
    [["distances", "--folder", "empty"], ["make", "--count", "3"], ["make", "--models"]],
)
def test_what_is_missing_is_a_sentence(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command.main([*words, "--data", "nowhere"]) == 1
    assert capsys.readouterr().err.strip().endswith((".", "DIR"))
