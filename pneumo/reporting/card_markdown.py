"""Small parts of the model card's Markdown: tables, numbers with intervals, where a part lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def section(heading: str, *parts: str) -> str:
    """A heading of the third level and what stands under it, empty parts left out."""
    return "\n\n".join([f"### {heading}", *(part for part in parts if part)])


def number(measure: float | dict | None, digits: int = 3) -> str:
    """A value, with its interval where it has one; a dash where there is none."""
    if measure is None:
        return "-"
    if not isinstance(measure, dict):
        return f"{measure:.{digits}f}"
    if measure.get("value") is None:
        return "-"
    text = f"{measure['value']:.{digits}f}"
    if measure.get("low") is None:
        return text
    return f"{text} ({measure['low']:.{digits}f} to {measure['high']:.{digits}f})"


def measured(card: dict, key: str) -> Any:
    """A part of a card that a command added, from `metrics` or from the card itself; or None."""
    return card["metrics"].get(key) or card.get(key)
