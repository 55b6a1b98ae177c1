"""Predictions of labelled folders are those of the app; copies and unreadable files are counted."""

import shutil

import numpy as np
import pytest

from pneumo.data.dataset import DataError
from pneumo.evaluation.predictions import labelled_images, predict_all, split_result
from pneumo.models.checkpoint import load_checkpoint
from pneumo.reading.reader import Reader

pytestmark = pytest.mark.usefixtures("few_resamples")


@pytest.fixture
def folder(drawn_dataset, tmp_path):
    """Two radiographs of each class, one of them twice, and a file that is none."""
    for label in ("NORMAL", "PNEUMONIA"):
        (tmp_path / label).mkdir()
        for path in sorted((drawn_dataset / "test" / label).iterdir())[:2]:
            shutil.copy(path, tmp_path / label)
    shutil.copy(path, tmp_path / "PNEUMONIA" / "person99_virus_1.jpeg")
    (tmp_path / "NORMAL" / "bad.jpeg").write_bytes(b"x")
    return tmp_path


def test_probabilities_are_those_of_the_app(folder, stand_ins):
    checkpoint = load_checkpoint("cnn", stand_ins)
    found = predict_all(checkpoint, labelled_images(folder))
    reader = Reader(checkpoint, input_check=False)
    expected = [reader.predict(sample.path).balanced for sample in found.table]
    assert found.probabilities == pytest.approx(expected, abs=1e-5)
    assert [path.name for path, _ in found.unread] == ["bad.jpeg"]
    assert len(found.table) == 5 and len(found.distinct) == 4
    result = split_result(found, float(np.median(found.probabilities)))
    assert (result.scores.n, result.distinct.n, result.scores.prevalence) == (5, 4, 0.6)
    assert sum(share.n for share in result.sensitivity_by_kind.values()) == 3


def test_a_folder_without_a_readable_radiograph_of_a_class_is_a_sentence(folder, stand_ins):
    for path in (folder / "NORMAL").iterdir():
        path.write_bytes(b"x")
    with pytest.raises(DataError, match="could be read"):
        predict_all(load_checkpoint("cnn", stand_ins), labelled_images(folder))
