"""Synthetic radiographs: a small model of the examples goes all the way to cases.json."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from pneumo.data.dataset import Sample
from pneumo.evaluation.localization import ZONES
from pneumo.files import bundled_folder
from pneumo.models.lungs import find_lungs
from pneumo.models.segmenter import load_segmenter
from pneumo.reading.checks import Check
from tests.radiographs import synthetic
from tools.make_examples import main
from tools.synthetic.choose import Candidate, gallery, read_cases, teaching_set, write_set
from tools.synthetic.distances import code, measured, report
from tools.synthetic.eigenradiographs import eigenradiographs
from tools.synthetic.pool import Source, candidates, encoded, fill, names_of
from tools.synthetic.sharpen import sharpened, with_marker

COUNT = 14


@pytest.fixture(scope="module")
def segmenter():
    return load_segmenter(bundled_folder("checkpoints") / "lungs.safetensors")


@pytest.fixture(scope="module")
def population():
    """Radiographs, each of another child."""
    return np.stack([synthetic(number, 224) for number in range(COUNT)])


@pytest.fixture(scope="module")
def model(population, segmenter):
    lungs = find_lungs(segmenter, population)
    return eigenradiographs(population, lungs, components=6, shapes=4, fewest=9)


@pytest.fixture(scope="module")
def real(population, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    table = [Sample(folder, 0, str(i), "normal") for i in range(COUNT)]
    return measured([code(one) for one in population], table, [f"real {i}" for i in range(COUNT)])


@pytest.fixture(scope="module")
def source(model, real, segmenter):
    return Source(model, real, segmenter)


def test_samples_repeat_differ_and_resemble_their_population(model, population):
    one, again, other = (model.sample(np.random.default_rng(s), 256) for s in (5, 5, 6))
    assert one.dtype == np.uint8 and one.shape == (256, 256)
    assert np.array_equal(one, again) and not np.array_equal(one, other)
    mean = np.asarray(Image.fromarray(population.mean(0).astype(np.uint8)).resize((256, 256)))
    assert np.corrcoef(one.ravel(), mean.ravel())[0, 1] > 0.8


def test_distance_ignores_exposure_and_mirror_but_not_the_child(real, population):
    one = population[3]
    fainter = np.clip(one * 0.7 + 20, 0, 255).astype(np.uint8)
    assert real.nearest(one)[0] < 1e-3
    assert real.nearest(fainter)[1] == "real 3" and real.nearest(fainter)[0] < 0.02
    assert real.nearest(one[:, ::-1].copy())[0] < 1e-3
    assert real.nearest(synthetic(0, 224, opacity=True))[0] > real.limit / 2
    # Added detail does not hide a copy.
    rng = np.random.default_rng(1)
    distance, name = real.nearest(with_marker(sharpened(one, rng), rng))
    assert name == "real 3" and distance < real.limit


def test_a_candidate_has_one_opacity_of_the_zone_asked_for(source):
    for number in (1, 5):
        zone = ZONES[number]
        pixels, record = next(candidates(f"opacity-{number:02d}", source, print))
        opacity = record["opacity"]
        assert f"{opacity['side']} {opacity['zone']}" == zone and record["truth"] == "PNEUMONIA"
        assert (opacity["x"] < 0.5) == (opacity["side"] == "right"), "the patient's side"
        assert 0.02 < opacity["radius"] < 0.2
        assert record["distance"] >= record["distance_limit"] > 0
        assert pixels.dtype == np.uint8 and min(pixels.shape) >= 512


def test_a_pool_is_resumed_and_says_what_it_holds(source, tmp_path):
    names = names_of(2, 1)
    assert sorted(names) == ["normal-00", "normal-01", "opacity-00"]
    fill(tmp_path, names[:1], lambda: source)
    before = (tmp_path / f"{names[0]}.png").stat().st_mtime_ns
    fill(tmp_path, names, lambda: source)
    assert (tmp_path / f"{names[0]}.png").stat().st_mtime_ns == before
    fill(tmp_path, names, lambda: pytest.fail("nothing was missing"))
    record = json.loads((tmp_path / "normal-00.json").read_text())
    assert record["truth"] == "NORMAL" and record["opacity"] is None
    with Image.open(tmp_path / "normal-00.png") as picture:
        assert picture.format == "PNG" and picture.mode == "L"
        assert "ynthetic" in picture.info["Description"]


def made(name, zone, label, probability, check="passed"):
    """A candidate that two networks give a label, with their evidence in the opacity."""
    opacity = None
    if zone:
        side, height = zone.split()
        x = 0.3 if side == "right" else 0.7
        y = (0.25, 0.5, 0.75)[("upper", "middle", "lower").index(height)]
        opacity = {"x": x, "y": y, "radius": 0.1, "side": side, "zone": height, "strength": 0.9}
    evidence = np.zeros((16, 16), np.float32)
    lungs = np.zeros((64, 64), np.uint8)
    lungs[8:56, 8:28] = lungs[8:56, 36:56] = 255
    if opacity:
        evidence[round(opacity["y"] * 16), round(opacity["x"] * 16)] = 1
    reading = SimpleNamespace(
        label=label, probability=probability, evidence=evidence, lungs=lungs,
        checks=(Check("size", check, ""),), weights_sha256="f" * 64,
    )  # fmt: skip
    record = {"truth": "PNEUMONIA" if zone else "NORMAL", "opacity": opacity, "seed": [0, 0, 0]}
    picture = encoded(np.zeros((8, 8), np.uint8))
    return Candidate(name, record, picture, {"cnn": reading, "resnet18": reading})


@pytest.fixture
def pool():
    """Twenty normal ones, four of them called pneumonia; five of each zone, one of them missed."""
    normal = [made(f"n{i}", None, "NORMAL", i / 100) for i in range(16)]
    normal += [made(f"w{i}", None, "PNEUMONIA", 0.9) for i in range(4)]
    opacities = [
        made(f"{zone} {i}", zone, "PNEUMONIA" if i else "NORMAL", 0.2 + 0.15 * i)
        for zone in ZONES
        for i in range(5)
    ]
    return normal + opacities


def test_the_gallery_shows_what_the_networks_get_right_and_two_they_do_not(pool):
    pool.append(made("warned of", None, "NORMAL", 0.0, "warned"))
    chosen, lacking = gallery(pool, 10)
    assert not lacking and len(chosen) == 10
    right = [c for c in chosen if c.right]
    assert sorted(c.name for c in right if c.zone is None) == ["n0", "n1", "n2", "n3"]
    sides = [c.zone.split()[0] for c in right if c.zone]
    assert sides.count("right") == sides.count("left") == 2
    assert len({c.zone for c in right}) == 5, "different zones"
    assert {c.record["truth"] for c in chosen if not c.right} == {"NORMAL", "PNEUMONIA"}
    first = next(c for c in right if c.zone)
    reading = first.readings["cnn"]
    reading.evidence = reading.evidence[:, ::-1].copy()  # in another zone than the opacity
    assert first.name not in {c.name for c in gallery(pool, 10)[0]}
    assert any("opacity left" in line for line in gallery(pool[:22], 10)[1])


def test_the_teaching_set_has_all_zones_alike_and_some_failures(pool):
    chosen, lacking = teaching_set(pool, 24)
    assert not lacking and len(chosen) == len({c.name for c in chosen}) == 24
    zones = [c.zone for c in chosen]
    assert zones.count(None) == 12 and all(zones.count(zone) == 2 for zone in ZONES)
    assert 2 <= sum(not c.right for c in chosen) <= 8


def test_written_cases_are_read_back_give_nothing_away_and_old_pictures_go(pool, tmp_path):
    chosen, _ = gallery(pool, 10)
    (tmp_path / "mine.png").write_bytes(b"mine")
    (tmp_path / "old.png").write_bytes(b"old")
    (tmp_path / "cases.json").write_text('[{"file": "old.png"}]')
    write_set(chosen, tmp_path, difficult=True)
    cases = read_cases(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"cases.json", "mine.png", *(case["file"] for case in cases)}
    assert sum(case.get("teaching", False) for case in cases) == 2
    for case, one in zip(cases, chosen, strict=True):
        shown = (case["file"] + case["title"] + case["caption"]).lower()
        assert not any(word in shown for word in ("normal", "pneumonia", "opacity"))
        assert case["truth"] == one.record["truth"] and case["synthetic"] is True


def test_report_fails_what_is_near_changed_missing_or_not_listed(
    source, real, population, tmp_path
):
    pixels, record = next(candidates("normal-00", source, print))
    reading = made("x", None, "NORMAL", 0.1).readings["cnn"]
    one = Candidate("normal-00", record, encoded(pixels), {"cnn": reading})
    write_set([one], tmp_path, difficult=False)
    cases = read_cases(tmp_path)
    assert report(tmp_path, cases, real) == 0
    Image.fromarray(population[0]).save(tmp_path / "copy.png")
    assert report(tmp_path, cases, real) == 1, "not listed"
    near = replace(one, png=(tmp_path / "copy.png").read_bytes())
    (tmp_path / "copy.png").unlink()
    assert report(tmp_path, [*cases, {"file": "copy.png"}], real) == 1, "missing"
    (tmp_path / cases[0]["file"]).write_bytes(near.png)
    assert report(tmp_path, cases, real) == 1, "changed"
    write_set([near], tmp_path, difficult=False)
    assert report(tmp_path, read_cases(tmp_path), real) == 1, "near"


@pytest.mark.parametrize("words", [["choose", "nowhere"], ["pool", "out", "--data", "nowhere"]])
def test_what_is_missing_is_a_sentence(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    assert capsys.readouterr().err.strip()
