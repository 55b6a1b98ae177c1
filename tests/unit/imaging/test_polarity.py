"""Inverted radiographs are noticed, and the others are left alone."""

import numpy as np
from PIL import Image

from pneumo.imaging.messages import NOTES
from pneumo.imaging.polarity import looks_inverted
from pneumo.imaging.radiograph import read_radiograph
from tests.radiographs import synthetic
from tests.unit.imaging.files import chest, picture


def test_an_inverted_file_is_read_with_bones_bright_and_says_so() -> None:
    radiograph = chest()
    read = read_radiograph(picture(255 - radiograph, "PNG"))
    np.testing.assert_array_equal(read.pixels, radiograph)
    assert read.notes == (NOTES["inverted"],)
    assert read_radiograph(picture(radiograph, "PNG")).notes == ()


def test_a_radiograph_on_its_side_or_head_is_not_taken_for_a_negative() -> None:
    radiograph = synthetic(2, size=200)
    assert not any(looks_inverted(np.rot90(radiograph, turns).copy()) for turns in range(4))


def test_real_radiographs_are_left_alone_and_their_negatives_noticed(data_root) -> None:
    paths = sorted((data_root / "train").glob("*/*.jp*g"))[::50]
    radiographs = [np.asarray(Image.open(path).convert("L")) for path in paths]
    assert len(radiographs) > 90
    assert not any(looks_inverted(radiograph) for radiograph in radiographs)
    assert np.mean([looks_inverted(255 - radiograph) for radiograph in radiographs]) > 0.99
    assert (
        np.mean([looks_inverted(np.rot90(radiograph).copy()) for radiograph in radiographs]) < 0.01
    )
