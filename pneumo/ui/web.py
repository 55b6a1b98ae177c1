"""The page's own script and styles, each sent once."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pneumo.imaging.radiograph import MAX_BYTES
from pneumo.models.card import CheckpointError, read_card
from pneumo.models.checkpoint import available_models, default_model
from pneumo.reading.decision import PRESETS
from pneumo.ui.pictures import SIGNS, legend_of
from pneumo.ui.results import numbers_of
from pneumo.ui.schemas import CUSTOM, Choice
from pneumo.ui.texts import catalogue

ASSETS = Path(__file__).parent / "assets"
STYLES = ("page.css", "viewer.css", "batch.css", "teach.css")
SCRIPTS = (
    "common.js", "canvas.js", "pointer.js", "toolbar.js", "result.js", "controls.js", "intake.js",
    "viewer.js", "zip.js", "table.js", "batch.js", "truth.js", "lesson.js", "experiment.js",
    "teach.js",
)  # fmt: skip
# Sentences that the server fills in itself.
SERVER_ONLY = ("app.", "tab.", "api.", "gate.", "card.", "error.", "check.", "zone.")
MOST_IMAGES = 500


def asset(name: str) -> str:
    """The text of a file in the assets folder."""
    return (ASSETS / name).read_text(encoding="utf-8")


def head() -> str:
    """The script of all tabs, for the page's head; `Pneumo` is its only name there."""
    texts = {k: v for k, v in catalogue().items() if not k.startswith(SERVER_ONLY)}
    facts: dict[str, Any] = {"texts": texts, "models": page_models(), "default": default_model()}
    facts |= {"limit": MAX_BYTES, "most": MOST_IMAGES, "policies": [*PRESETS, CUSTOM]}
    facts["dicom"] = find_spec("highdicom") is not None  # an extra
    # No sentence may end the script.
    constants = json.dumps(facts).replace("</", "<\\/")
    scripts = "\n".join(asset(name) for name in SCRIPTS)
    return (
        f"<script>const Pneumo = (() => {{\nconst FACTS = {constants};\n{scripts}\n"
        "return { startViewer, startBatch, startTeach };\n})();</script>"
    )


def page_models() -> list[dict]:
    """Name, title, legend and default numbers of each model; "broken" for one that is unusable."""
    models = []
    for name in available_models():
        try:
            card = read_card(name)
            legend = {sign: legend_of(card.evidence.scale, sign) for sign in SIGNS}
            facts = {"legend": legend, "numbers": numbers_of(Choice(), card)}
            models.append({"name": name, "title": card.title, **facts})
        except CheckpointError as error:
            models.append({"name": name, "title": name, "broken": str(error)})
    return models
