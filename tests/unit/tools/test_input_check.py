"""Fitting the input check: other descriptions are refused, children's and adults' are not."""

import numpy as np

from pneumo.reading.descriptor import LENGTH
from pneumo.reading.input_check import InputCheck
from tools.input_check.fit import Fit
from tools.input_check.material import Material


def cloud(seed: int, middle: float, count: int = 60) -> np.ndarray:
    """Descriptions around a random place, the farther from 0 the larger `middle` is."""
    place = middle * np.random.default_rng(int(10 * middle)).normal(size=LENGTH)
    return (place + np.random.default_rng(seed).normal(size=(count, LENGTH))).astype(np.float32)


def test_a_fit_takes_radiographs_and_refuses_what_is_unlike_them():
    material = Material(
        children=cloud(0, 1.0),
        adults=cloud(1, 1.1),
        adult_groups=np.arange(60) // 2,
        crops=cloud(2, 0.9),
        adult_crops=cloud(3, 0.9),
        calibration=cloud(4, 1.0),
        frames=cloud(10, 1.0),
        others={"document": cloud(5, 2.0), "hands": cloud(6, 2.5)},
        held_out={},
        normal=np.ones(0, bool),
        not_chest={},
    )
    check = InputCheck(Fit(material).file())

    def scores(described: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        z = check.standardised(described)
        return check.score("chest", z), check.score("adult", z)

    for radiographs in (cloud(7, 1.0), cloud(8, 1.1)):
        assert (scores(radiographs)[0] >= 0).mean() > 0.9
    assert (scores(cloud(9, 2.5))[0] < 0).all()
    assert (scores(cloud(8, 1.1))[1] >= 0).all() and (scores(cloud(7, 1.0))[1] < 0).mean() > 0.9
