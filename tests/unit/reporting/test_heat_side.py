"""What a card says of a map that does not tell the side."""

from __future__ import annotations

import pytest

from pneumo.models.checkpoint import heat_tells_side
from pneumo.reporting.card_limits import failures_section
from tests.unit.reporting.whole_card import whole_card


@pytest.mark.parametrize(("share", "tells"), [(0.5, False), (0.9, True), (None, True)])
def test_heat_that_lies_in_either_half_is_said_not_to_tell_the_side(share, tells):
    card = whole_card("cnn", "Custom CNN")
    if share is not None:
        card["metrics"]["lungs"]["heat_in_ill_half"] = share
    assert heat_tells_side(card) is tells
    assert ("does not tell which lung" in failures_section([card])) is not tells
