"""The files of the assets folder as text, and several scripts made into one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pneumo.ui.texts import ENGLISH

ASSETS = Path(__file__).parent / "assets"


def asset(name: str) -> str:
    """The text of a file in the assets folder."""
    return (ASSETS / name).read_text(encoding="utf-8")


def script(names: Sequence[str], start: str, **facts: object) -> str:
    """Several script files as one closed function body for `js_on_load`.

    Args:
        names: files of the assets folder, in order; they see each other's definitions.
        start: the statement that begins.
        **facts: constants the scripts find in FACTS, besides the catalogue in FACTS.texts.
    """
    constants = json.dumps({"texts": ENGLISH, **facts})
    return "\n".join([f"const FACTS = {constants};", *(asset(name) for name in names), start])
