"""The one preprocessing: training and serving see the same tensor."""

import cv2
import torch

from pneumo.data.dataset import Sample, load_squares
from pneumo.imaging.radiograph import read_radiograph
from pneumo.models.preprocess import Preprocessing
from tests.radiographs import synthetic


def test_training_and_serving_agree_to_the_bit(tmp_path):
    paths = []
    for seed in range(4):
        paths.append(tmp_path / f"{seed}.png")
        cv2.imwrite(str(paths[-1]), synthetic(seed, size=300 + 100 * seed))
    preprocessing = Preprocessing(size=128)
    table = [Sample(path, 0, str(i), "normal") for i, path in enumerate(paths)]
    trained_on = preprocessing.tensor(load_squares(table, preprocessing))
    for i, path in enumerate(paths):
        assert torch.equal(preprocessing(read_radiograph(path).pixels)[0], trained_on[i])
