"""A card in which everything was measured."""

from __future__ import annotations

from dataclasses import replace

from pneumo.models.card import (
    Card,
    Corruption,
    ExternalResult,
    JpegChange,
    Shortcut,
    Stratum,
)
from tests.cards import estimate, whole_card


def full_card(**changes) -> Card:
    """A card in which everything was measured."""
    card = whole_card(**changes)
    rates = Corruption("none", 100, 0.99, 0.95, 0.94)
    found = replace(
        card.metrics,
        corruptions=(
            rates,
            Corruption("blur", 100, 0.98, 0.90, 0.94),
            Corruption("noise", 100, 0.98, 0.94, 0.94),
        ),
        shortcut=Shortcut(
            100, 0.99, 0.8, (Stratum("sharpest third", 33, 10, estimate(0.97), 0.6),), 47,
            rates, replace(rates, specificity=0.91), (JpegChange(20, 0.01, 0.02, 0.03),),
        ),
        external=(
            ExternalResult("NIH", "all", "text-mined", 50, 20, 40, estimate(0.8),
                           estimate(0.7), estimate(0.6)),
        ),
    )  # fmt: skip
    return replace(card, metrics=found)
