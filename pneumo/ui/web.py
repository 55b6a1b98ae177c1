"""The page's own script and styles, each sent once."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pneumo.imaging.radiograph import MAX_BYTES
from pneumo.models.card import CheckpointError, read_card
from pneumo.models.checkpoint import available_models, default_model
from pneumo.reading.decision import PRESETS
from pneumo.ui.model_card import PLACE, tab
from pneumo.ui.pictures import SIGNS, legend_of
from pneumo.ui.results import numbers_of
from pneumo.ui.schemas import CUSTOM, Choice
from pneumo.ui.texts import catalogue, catalogues, filled, in_json, language

ASSETS = Path(__file__).parent / "assets"
STYLES = ("page.css", "viewer.css", "batch.css", "teach.css")
SCRIPTS = (
    "common.js", "canvas.js", "pointer.js", "toolbar.js", "result.js", "controls.js", "intake.js",
    "viewer.js", "zip.js", "truth.js", "labels.js", "table.js", "batch.js", "lesson.js",
    "experiment.js", "teach.js",
)  # fmt: skip
# Sentences that the server fills in itself.
SERVER_ONLY = ("app.", "tab.", "api.", "gate.", "card.", "error.", "check.", "labelled.")
MOST_IMAGES = 500


def asset(name: str) -> str:
    """The text of a file in the assets folder."""
    return (ASSETS / name).read_text(encoding="utf-8")


@cache
def facts(spoken: str) -> str:
    """What the script knows, as JSON: sentences, models, limits. `spoken` is the `language`."""
    texts = {k: v for k, v in catalogue().items() if not k.startswith(SERVER_ONLY)}
    names = {code: words["language.name"] for code, words in catalogues().items()}
    known: dict[str, Any] = {"texts": texts, "models": page_models(), "default": default_model()}
    known |= {"limit": MAX_BYTES, "most": MOST_IMAGES, "language": spoken, "languages": names}
    known["policies"] = [*PRESETS, CUSTOM]
    known["dicom"] = find_spec("highdicom") is not None  # an extra
    # No sentence may end the script.
    return json.dumps(known).replace("</", "<\\/")


def in_language(page: str) -> str:
    """Gradio's page or its configuration, in the language of the request."""
    spoken = language()
    page = page.replace("PNEUMO_FACTS", in_json(facts(spoken))).replace(PLACE, in_json(tab(spoken)))
    return filled(page)


def head() -> str:
    """The script of all tabs, for the page's head; `Pneumo` is its only name there."""
    scripts = "\n".join(asset(name) for name in SCRIPTS)
    return (
        f"<script>const Pneumo = (() => {{\nconst FACTS = PNEUMO_FACTS;\n{scripts}\n"
        "return { startLanguage, startViewer, startBatch, startTeach };\n})();</script>"
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
        except CheckpointError:
            models.append({"name": name, "title": name, "broken": True})
    return models
