"""The one preprocessing: training and serving see the same tensor."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from pneumo.data.dataset import Film, load_squares
from pneumo.imaging.phantom import phantom
from pneumo.imaging.radiograph import read_radiograph
from pneumo.models.preprocess import Preprocessing


def test_training_and_serving_agree_to_the_bit(tmp_path):
    paths = []
    for seed in range(4):
        paths.append(tmp_path / f"{seed}.png")
        cv2.imwrite(str(paths[-1]), phantom(seed, size=300 + 100 * seed)[0])
    preprocessing = Preprocessing()
    table = [Film(path, 0, str(i), "normal") for i, path in enumerate(paths)]
    trained_on = preprocessing.tensor(load_squares(table, preprocessing))
    for i, path in enumerate(paths):
        assert torch.equal(preprocessing(read_radiograph(path).pixels)[0], trained_on[i])


def test_record_rebuilds_it():
    spec = Preprocessing(size=96, mean=0.4, std=0.2)
    assert Preprocessing(**spec.record()) == spec


def test_square_is_antialiased():
    # A one-pixel chequerboard is mid grey from afar; without antialiasing it is black or white.
    board = (np.indices((896, 896)).sum(0) % 2 * 255).astype(np.uint8)
    assert abs(Preprocessing().square(board).astype(int)[8:-8, 8:-8] - 127).max() <= 3


def test_a_square_of_the_right_size_is_untouched():
    film = phantom(1, size=224)[0]
    assert np.array_equal(Preprocessing().square(film), film)


@pytest.mark.parametrize("shape", [(224, 224, 3), (224,)])
def test_wrong_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="uint8"):
        Preprocessing().square(np.zeros(shape, np.uint8))


def test_normalisation_is_invertible_arithmetic():
    spec = Preprocessing(size=4)
    square = np.arange(16, dtype=np.uint8).reshape(4, 4) * 17
    back = spec.tensor(square)[0, 0] * spec.std + spec.mean
    torch.testing.assert_close(back * 255, torch.from_numpy(square).float(), atol=1e-3, rtol=0)


@pytest.mark.parametrize("spec", [Preprocessing(), Preprocessing(mean=0.4823, std=0.2318)])
def test_values_are_those_of_the_tensor_and_of_arithmetic(spec):
    squares = np.random.default_rng(0).integers(0, 256, (3, 7, 9), dtype=np.uint8)
    tensor, room = spec.tensor(squares), np.full((4, 7, 9), np.nan, np.float32)
    row = room[2]
    assert spec.values(squares[1], row) is row
    assert np.array_equal(row, tensor[1, 0]) and np.isnan(room[[0, 1, 3]]).all()
    assert np.array_equal(spec.values(squares), tensor[:, 0])
    for apart in (np.empty((3, 7, 18), np.float32)[..., ::2], np.empty((3, 9, 9))[:, :7]):
        with pytest.raises(ValueError, match="contiguous"):
            spec.values(squares, apart)
    arithmetic = torch.from_numpy(squares).float().div(255.0).sub(spec.mean).div(spec.std)
    assert torch.equal(arithmetic, tensor[:, 0])
