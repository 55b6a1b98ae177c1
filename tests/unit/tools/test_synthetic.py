"""Synthetic radiographs: a small model of the examples goes all the way to cases.json."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from pneumo.data.dataset import Sample, load_squares
from pneumo.data.synthetic_adults import synthetic_adults
from pneumo.evaluation.adults import adult_images
from pneumo.evaluation.localization import ZONES
from pneumo.files import bundled_folder
from pneumo.models.lungs import find_lungs
from pneumo.models.preprocess import Preprocessing
from pneumo.models.segmenter import load_segmenter
from tests.radiographs import synthetic
from tools.synthetic.choose import Candidate, read_cases, write_set
from tools.synthetic.distances import code, measured, real_radiographs, report
from tools.synthetic.eigenradiographs import eigenradiographs
from tools.synthetic.pool import Source, candidates, encoded
from tools.synthetic.sharpen import sharpened, with_marker

COUNT = 14


@pytest.fixture(scope="module")
def population():
    """Radiographs, each of another child."""
    return np.stack([synthetic(number, 224) for number in range(COUNT)])


@pytest.fixture(scope="module")
def real(population, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    table = [Sample(folder, 0, str(i), "normal") for i in range(COUNT)]
    return measured([code(one) for one in population], table, [f"real {i}" for i in range(COUNT)])


@pytest.fixture(scope="module")
def source(population, real):
    segmenter = load_segmenter(bundled_folder("checkpoints") / "lungs.safetensors")
    lungs = find_lungs(segmenter, population)
    model = eigenradiographs((population, lungs), components=6, shapes=4, fewest=9)
    return Source(model, real, segmenter)


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


def test_report_fails_what_is_near_changed_missing_or_not_listed(source, real, tmp_path):
    pixels, record = next(candidates("normal-00", source, print))
    reading = SimpleNamespace(
        label="NORMAL", probability=0.1, evidence=None, lungs=None, checks=(), weights_sha256=""
    )
    one = Candidate("normal-00", record, encoded(pixels), {"cnn": reading})
    write_set([one], tmp_path, difficult=False)
    cases = read_cases(tmp_path)
    assert report(tmp_path, cases, real) == 0
    Image.fromarray(synthetic(0, 224)).save(tmp_path / "copy.png")
    assert report(tmp_path, cases, real) == 1, "not listed"
    near = replace(one, png=(tmp_path / "copy.png").read_bytes())
    (tmp_path / "copy.png").unlink()
    assert report(tmp_path, [*cases, {"file": "copy.png"}], real) == 1, "missing"
    (tmp_path / cases[0]["file"]).write_bytes(near.png)
    assert report(tmp_path, cases, real) == 1, "changed"
    write_set([near], tmp_path, difficult=False)
    assert report(tmp_path, read_cases(tmp_path), real) == 1, "near"


@pytest.mark.slow
def test_every_bundled_adult_is_nobodys(data_root):
    """Of the file as it is shipped, after scaling and JPEG."""
    adults = data_root.parent / "adult_nih"
    if not adults.is_dir():
        pytest.skip("no real adults beside the dataset")
    table = adult_images(adults)
    codes = [code(one) for one in load_squares(table, Preprocessing())]
    names = [sample.path.name for sample in table]
    for real in (measured(codes, table, names), real_radiographs(data_root)):
        assert min(real.nearest(one)[0] for one in synthetic_adults()) >= real.limit
