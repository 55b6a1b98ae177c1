"""The table of samples: labels, patients, splits, and errors that say what to do."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pneumo.data.dataset import (
    DataError,
    Sample,
    labels,
    load_squares,
    patient_group,
    samples,
    series_of,
    validation_split,
)
from pneumo.models.preprocess import Preprocessing


@pytest.mark.parametrize(
    ("name", "group", "kind", "series"),
    [
        ("PNEUMONIA/person12_bacteria_46.jpeg", "person12_bacteria", "bacteria", ""),
        ("PNEUMONIA/person12_virus_46.jpeg", "person12_virus", "virus", ""),
        ("NORMAL/IM-0115-0001.jpeg", "IM-0115", "normal", "IM"),
        ("NORMAL/NORMAL2-IM-0115-0001-0002.jpeg", "NORMAL2-IM-0115", "normal", "NORMAL2-IM"),
        ("NORMAL/my-image-7.png", "NORMAL/my-image-7", "normal", ""),
        ("PNEUMONIA/other.png", "PNEUMONIA/other", "pneumonia", ""),
    ],
)
def test_patients_and_series_from_file_names(name, group, kind, series):
    path = Path(name)
    assert patient_group(path) == (group, kind)
    label = int(path.parent.name == "PNEUMONIA")
    assert series_of(Sample(path, label, group, kind)) == series


def test_split_keeps_patients_together_and_classes_apart(drawn_dataset):
    table = samples(drawn_dataset, "train")
    assert labels(table).tolist() == [0] * 24 + [1] * 36
    train, held_out = validation_split(table, folds=4)
    assert {f.group for f in train}.isdisjoint(f.group for f in held_out)
    assert len(train) + len(held_out) == len(table)
    assert set(labels(held_out)) == {0, 1}
    assert validation_split(table, folds=4) == (train, held_out)


def test_missing_empty_and_one_class_only(tmp_path):
    with pytest.raises(DataError, match="data download"):
        samples(tmp_path, "train")
    (tmp_path / "train" / "NORMAL").mkdir(parents=True)
    with pytest.raises(DataError, match="holds no JPEG or PNG picture"):
        samples(tmp_path, "train")
    cv2.imwrite(str(tmp_path / "train" / "NORMAL" / "a.png"), np.zeros((9, 9), np.uint8))
    with pytest.raises(DataError, match=r"PNEUMONIA is missing.*both classes"):
        samples(tmp_path, "train")


def test_unreadable_radiographs_are_named(drawn_dataset, tmp_path):
    table = samples(drawn_dataset, "train")
    bad = tmp_path / "IM-9999-0001.jpeg"
    bad.write_bytes(table[0].path.read_bytes()[:300])
    worse = Sample(bad, 0, "IM-9999", "normal")
    with pytest.raises(DataError, match=r"1 of 3 radiographs cannot be read:\s+.*IM-9999-0001"):
        load_squares([*table[:2], worse], Preprocessing())
