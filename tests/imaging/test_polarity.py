"""Inverted films are noticed, and true films are left alone."""

import numpy as np
import pytest
from PIL import Image

from pneumo.imaging.phantom import phantom
from pneumo.imaging.polarity import INVERTED_NOTE, looks_inverted, polarity
from pneumo.imaging.radiograph import read_radiograph
from tests.imaging.files import picture


def test_an_inverted_file_is_read_with_bones_bright_and_says_so() -> None:
    film = phantom(11, size=256)[0]
    read = read_radiograph(picture(255 - film, "PNG"))
    np.testing.assert_array_equal(read.pixels, film)
    assert read.notes == (INVERTED_NOTE,)
    assert read_radiograph(picture(film, "PNG")).notes == ()


def test_polarity_reverses_with_the_film_and_ignores_brightness() -> None:
    for seed in range(8):
        film = phantom(seed, size=200)[0]
        score = polarity(film)
        assert score > 0.1
        assert polarity(255 - film) == pytest.approx(-score, abs=0.01)
        assert polarity((film // 2 + 60).astype(np.uint8)) == pytest.approx(score, abs=0.03)


def test_a_flat_picture_has_no_polarity() -> None:
    assert polarity(np.full((50, 40), 200, np.uint8)) == 0
    assert not looks_inverted(np.zeros((1, 1), np.uint8))


def test_a_film_on_its_side_or_head_is_not_taken_for_a_negative() -> None:
    film = phantom(2, size=200)[0]
    assert not any(looks_inverted(np.rot90(film, turns).copy()) for turns in range(4))


def test_real_films_are_left_alone_and_their_negatives_noticed(data_root) -> None:
    paths = sorted((data_root / "train").glob("*/*.jp*g"))[::15]
    films = [np.asarray(Image.open(path).convert("L")) for path in paths]
    assert len(films) > 300
    assert not any(looks_inverted(film) for film in films)
    assert np.mean([looks_inverted(255 - film) for film in films]) > 0.99
    assert np.mean([looks_inverted(np.rot90(film).copy()) for film in films]) < 0.01
