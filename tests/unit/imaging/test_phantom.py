"""Tests of the drawn chest phantoms: repeatable, chest-like, opacities in their places."""

import numpy as np
import pytest

from pneumo.imaging.phantom import Opacity, phantom


def box(picture, x0, x1, y0, y1):
    """Mean grey of a box given in fractions of the picture."""
    size = len(picture)
    rows = slice(int(y0 * size), int(y1 * size))
    return float(picture[rows, int(x0 * size) : int(x1 * size)].mean())


def test_same_seed_same_bytes_and_other_seed_other_image():
    first, nothing = phantom(3, size=128)
    again, _ = phantom(3, size=128)
    other, _ = phantom(4, size=128)
    assert first.dtype == np.uint8 and first.shape == (128, 128) and nothing is None
    assert first.tobytes() == again.tobytes()
    assert np.abs(first.astype(int) - other).mean() > 3


@pytest.mark.parametrize("seed", range(6))
def test_looks_like_a_chest(seed):
    image, _ = phantom(seed)
    lungs = (box(image, 0.25, 0.33, 0.4, 0.6) + box(image, 0.70, 0.76, 0.35, 0.5)) / 2
    spine = box(image, 0.47, 0.53, 0.3, 0.6)
    belly = box(image, 0.3, 0.7, 0.88, 0.96)
    corner = box(image, 0.02, 0.10, 0.02, 0.06)
    assert corner < 20 < lungs < spine - 50
    assert lungs < belly - 50
    assert np.mean(image == 255) < 0.05


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("seed", range(3))
def test_an_opacity_brightens_its_place_and_nothing_else(seed, side):
    clear, _ = phantom(seed)
    image, opacity = phantom(seed, opacity=side)
    assert opacity.side == side and (opacity.x < 0.5) == (side == "right")
    change = image.astype(int) - clear
    rows, columns = np.indices(change.shape)
    away = np.hypot((columns + 0.5) / 512 - opacity.x, (rows + 0.5) / 512 - opacity.y)
    assert change[away < opacity.radius / 3].mean() > 30
    assert np.abs(change[away > 2.2 * opacity.radius]).max() <= 1


def test_an_opacity_can_be_placed_by_hand_and_asked_for_again():
    wanted = Opacity(0.30, 0.50, 0.08, "right")
    image, drawn = phantom(1, opacity=wanted)
    chosen = phantom(2, opacity="left")
    assert drawn is wanted
    assert np.array_equal(phantom(2, opacity=chosen[1])[0], chosen[0])
    assert image.mean() > phantom(1)[0].mean()


def test_size_is_free_and_the_place_does_not_move():
    small, place = phantom(5, size=224, opacity="right")
    large, same = phantom(5, size=700, opacity="right")
    assert small.shape == (224, 224) and large.shape == (700, 700) and place == same


@pytest.mark.parametrize("wrong", [{"size": 8}, {"opacity": "middle"}])
def test_nonsense_is_refused(wrong):
    with pytest.raises(ValueError):
        phantom(0, **wrong)
    with pytest.raises(ValueError):
        Opacity(0.5, 1.5, 0.1, "left")
