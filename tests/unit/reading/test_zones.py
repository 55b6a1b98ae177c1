"""Where the evidence lies: shares by lung and zone of known maps over known lungs."""

import numpy as np
import pytest

from pneumo.reading.zones import strongest_zone, zone_shares


@pytest.fixture
def lungs() -> np.ndarray:
    """Two lungs, 96 rows high; the patient's right one on the image's left."""
    mask = np.zeros((128, 128), np.uint8)
    mask[16:112, 16:48] = mask[16:112, 80:112] = 255
    return mask


def shares_of(evidence, lungs) -> dict[str, float]:
    return {f"{one.lung} {one.zone}": one.share for one in zone_shares(evidence, lungs)}


@pytest.mark.parametrize(
    ("place", "zone"), [((4, 3), "right upper"), ((8, 12), "left middle"), ((11, 12), "left lower")]
)
def test_one_cell_lies_in_its_zone(lungs, place, zone):
    evidence = np.zeros((16, 16), np.float32)
    evidence[place] = 2.0
    evidence[0, 0] = -5.0  # evidence against pneumonia counts for nothing
    found = shares_of(evidence, lungs)
    assert found.pop(zone) == pytest.approx(1.0)
    assert list(found.values()) == [0.0] * 5
    assert strongest_zone(zone_shares(evidence, lungs)) == zone


def test_evidence_counts_by_area_and_beside_the_lungs_for_none(lungs):
    evidence = np.zeros((16, 16), np.float32)
    evidence[8, 8], evidence[8, 3] = 3.0, 1.0  # between the lungs; in one
    found = shares_of(evidence, lungs)
    assert sum(found.values()) == found["right middle"] == pytest.approx(0.25)
    evidence = np.zeros((4, 4), np.float32)
    evidence[1, 0] = 1.0  # rows 32 to 64, half above and half below row 48
    found = shares_of(evidence, lungs)
    assert found["right upper"] == found["right middle"] == pytest.approx(0.25)


def test_thirds_are_those_of_each_lungs_own_height_and_both_must_be_found(lungs):
    lungs[:64, 80:112] = 0  # the left lung begins lower down
    evidence = np.zeros((16, 16), np.float32)
    evidence[8, 12] = evidence[8, 3] = 1.0
    found = shares_of(evidence, lungs)
    assert found["left upper"] == found["right middle"] == pytest.approx(0.5)
    assert strongest_zone(()) is strongest_zone(zone_shares(-evidence, lungs)) is None
    lungs[:, 64:] = 0
    assert zone_shares(evidence, lungs) == zone_shares(evidence, np.zeros_like(lungs)) == ()
