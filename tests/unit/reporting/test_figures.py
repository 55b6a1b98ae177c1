"""Figures: drawn of every card that has the numbers, and gone with them."""

import cv2

from pneumo.reporting.figures import FIGURES, draw
from tests.cards import whole_card

CARDS = [whole_card(), whole_card("resnet18", "ResNet-18")]


def test_every_figure_is_drawn_and_shows_something(tmp_path):
    assert draw([], tmp_path) == []
    files = draw(CARDS, tmp_path, ".png")
    assert {file.stem for file in files} == set(FIGURES)
    for file in files:
        picture = cv2.imread(str(file))
        assert min(picture.shape[:2]) > 300 and picture.std() > 10
