"""The audit finds what was planted in a folder, and the known facts of the real dataset."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from pneumo.data.audit import audit
from tests.unit.commands.shell import run as command


def image(path: Path, seed: int, blur: float = 0.0, quality: int = 90) -> None:
    """Writes a JPEG of noise, of nobody; blurred ones are less sharp and smaller."""
    pixels = np.random.default_rng(seed).integers(0, 256, (60, 80), dtype=np.uint8)
    picture = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(blur))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=quality)


@pytest.fixture
def folder(tmp_path):
    """Train gives the label away by sharpness; test does not."""
    for n in range(8):
        image(tmp_path / f"train/NORMAL/IM-{n:04}-0001.jpeg", n)
        image(tmp_path / f"train/PNEUMONIA/person{n}_bacteria_{n}.jpeg", 100 + n, blur=2)
        image(tmp_path / f"test/NORMAL/NORMAL2-IM-{n:04}-0001.jpeg", 200 + n)
        image(tmp_path / f"test/PNEUMONIA/person{n}_virus_{n}.jpeg", 300 + n)
    return tmp_path


def run(*words: object) -> int:
    """Exit code of `pneumo data audit WORDS`."""
    return command("data", "audit", *words)


def test_a_property_of_one_class_only_is_told_split_by_split(folder):
    splits = audit(folder).record()["splits"]
    assert list(splits) == ["train", "test"]
    for name in ("sharpness", "file_bytes", "bytes_per_pixel"):
        assert splits["train"]["normal_is_higher_auc"][name] == 1.0
        assert 0.1 < splits["test"]["normal_is_higher_auc"][name] < 0.9
    assert splits["train"]["classes"] == {"NORMAL": 8, "PNEUMONIA": 8}
    assert splits["test"]["kinds"] == {"normal": 8, "virus": 8}
    assert splits["train"]["sizes"]["commonest"] == "80x60"


def test_planted_duplicates_and_shared_patients_are_found(folder):
    def copied(name: str, to: str) -> None:
        (folder / to).write_bytes((folder / name).read_bytes())

    first = "train/NORMAL/IM-0001-0001.jpeg"
    copied(first, "train/NORMAL/IM-0001-0002.jpeg")  # a pair of one patient
    copied(first, "train/NORMAL/IM-0002-0002.jpeg")  # ... and a third, another patient's
    copied("train/NORMAL/IM-0003-0001.jpeg", "train/PNEUMONIA/person99_virus_1.jpeg")
    copied("train/NORMAL/IM-0004-0001.jpeg", "test/NORMAL/IM-0004-0009.jpeg")
    # The same pixels in another file are the same picture.
    Image.open(folder / "test/PNEUMONIA/person5_virus_5.jpeg").save(
        folder / "test/PNEUMONIA/person5_virus_6.png"
    )
    record = audit(folder).record()
    assert record["splits"]["train"]["duplicates"] == {
        "sets": 2,
        "pairs": 4,
        "redundant": 3,
        "distinct": 16,
        "sets_with_both_labels": 1,
        "sets_of_several_patients": 2,
    }
    assert record["splits"]["test"]["duplicates"]["redundant"] == 1
    assert record["across"] == {
        "patients_in_several_splits": ["IM-0004"],
        "identical_in_several_splits": 1,
        "identical_with_both_labels": 1,
    }


def test_a_result_never_takes_the_place_of_an_image(folder, capsys):
    target = folder / "train/NORMAL/own.png"
    (folder / "train/NORMAL/IM-0001-0001.jpeg").rename(target)
    before = target.read_bytes()
    for flag in ("--plot", "--json"):
        assert run(folder, flag, target) == 1
        assert target.read_bytes() == before
    assert capsys.readouterr().err.startswith("pneumo data: ")
