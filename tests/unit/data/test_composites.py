"""Composites: each hemithorax is whose it should be, and its lungs go with it."""

import numpy as np
import pytest

from pneumo.data.composites import composite

SIZE = 96


def lungs(left: int = 12, width: int = 72) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    lung = width * 28 // 72
    mask[20:70, left : left + lung] = mask[20:70, left + width - lung : left + width] = 255
    return mask


@pytest.mark.parametrize("left", [True, False])
def test_the_sides_meet_at_the_middle_of_the_lungs(left):
    image, other = np.full((SIZE, SIZE), 40, np.uint8), np.full((SIZE, SIZE), 200, np.uint8)
    joined, whole, kept = composite(image, lungs(), other, lungs(), left)
    mine, theirs = (slice(0, 43), slice(53, SIZE)) if left else (slice(53, SIZE), slice(0, 43))
    assert (joined[:, mine] == 40).all() and (joined[:, theirs] == 200).all()
    assert np.array_equal(whole, lungs())
    assert kept[:, mine].any() and not kept[:, theirs].any()
