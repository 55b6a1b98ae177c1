"""What a card says of a map that does not follow a mirrored film."""

from __future__ import annotations

import pytest

from pneumo.models.checkpoint import heat_tells_side
from pneumo.training.card_limits import failures_section
from tests.training.whole_card import whole_card


@pytest.mark.parametrize(("share", "tells"), [(0.13, False), (0.75, True), (None, True)])
def test_heat_that_does_not_follow_a_mirrored_film_is_said_not_to_tell_the_side(share, tells):
    card = whole_card("cnn", "Custom CNN")
    if share is not None:
        card["metrics"]["lungs"]["heat_mirrored"] = share
    assert heat_tells_side(card) is tells
    assert ("does not tell which lung" in failures_section([card])) is not tells
