"""The third tab: sets of radiographs for a lesson. Of a round itself the server hears nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import gradio as gr

from pneumo.ui.examples import BUNDLED, CASES, Example, find_examples, words_of
from pneumo.ui.experiment import SLIDERS, compare, vary
from pneumo.ui.store import ImageStore
from pneumo.ui.texts import text
from pneumo.ui.viewer import answer
from pneumo.ui.web import MOST_IMAGES, asset

# A list of truths is a few lines; what is larger is no list.
MOST_LIST_BYTES = 200_000


def teach(store: ImageStore, chosen: Path | None = None) -> gr.HTML:
    """The component of the third tab; to be called inside a Blocks context."""
    folders = set_folders(chosen)
    sets = {name: find_examples([folder], MOST_IMAGES) for name, folder in folders.items()}
    cases = [case for cases in sets.values() for case in cases]

    def list_sets(data):
        return {"sets": described(sets, folders), "sliders": SLIDERS}

    def read_case(data):
        return answer(store, cases, data)

    def change_case(data):
        return vary(store, cases, data)

    def cover_case(data):
        return compare(store, cases, data)

    return gr.HTML(
        html_template=asset("teach.html"),
        js_on_load="Pneumo.startTeach(element, server);",
        server_functions=[list_sets, read_case, change_case, cover_case],
        apply_default_css=False,
        elem_id="teach",
    )


def set_folders(chosen: Path | None = None) -> dict[str, Path]:
    """Name and folder of each set: the bundled, the downloaded, and the local one if there is."""
    folders = {"synthetic": BUNDLED / "teaching", "real": BUNDLED / "downloaded"}
    local = chosen or os.environ.get("PNEUMO_EXAMPLES")
    return folders | ({"local": Path(local)} if local else {})


def described(sets: Mapping[str, Sequence[Example]], folders: dict[str, Path]) -> list[dict]:
    """What the page knows of each set: name, title, cases, and the lists of truths in its folder.

    A case has id, file, title, truth (or ""), caption, attribution, place (or None) and hard.
    """
    told, number = [], 0
    for name, examples in sets.items():
        cases = []
        for example in examples:
            file = example.path.relative_to(folders[name]).as_posix()
            known = {"file": file, "place": example.place, "hard": example.hard}
            cases.append({"id": number, **known, **words_of(example)})
            number += 1
        told.append(
            {
                "name": name,
                "title": text(f"teach.set.{name}"),
                "cases": cases,
                # A cases.json has the truths already.
                "lists": [] if (folders[name] / CASES).is_file() else _lists(folders[name]),
            }
        )
    return told


def _lists(folder: Path) -> list[dict]:
    """Name and text of the CSV files in a folder."""
    found = []
    for path in sorted(folder.glob("*.csv")) if folder.is_dir() else []:
        if path.is_file() and path.stat().st_size <= MOST_LIST_BYTES:
            content = path.read_text(encoding="utf-8-sig", errors="replace")
            found.append({"name": path.name, "text": content})
    return found
