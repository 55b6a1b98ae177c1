"""Writing what a command measured into the card of the weights it was measured with."""

from __future__ import annotations

from pathlib import Path

from pneumo.models.checkpoint import checkpoint_folder, load, write_card


def remember(name: str, key: str, measured: dict | list, folder: Path | None = None) -> None:
    """Write a measurement under `metrics` of a network's card.

    A card is bound to its weights by their sha256, and new weights come with a new card; so
    nothing that was measured with other weights can stay.

    Raises:
        CheckpointError: when the card is not that of the weights beside it.
    """
    card = load(name, folder).card
    card["metrics"][key] = measured
    write_card(card, checkpoint_folder(folder) / f"{name}.json")
