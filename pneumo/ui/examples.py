"""The gallery: downloaded examples, then the bundled synthetic ones, or a local folder instead."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pneumo.files import bundled_folder
from pneumo.imaging.radiograph import UnreadableImage, read_radiograph
from pneumo.ui.pictures import thumbnail
from pneumo.ui.texts import text

BUNDLED = bundled_folder("examples")
CASES = "cases.json"

# A teacher's folder may hold a whole archive; a gallery is for choosing with the eye.
MOST = 60


@dataclass(frozen=True)
class Example:
    """One image of the gallery."""

    path: Path
    title: str
    truth: str  # "NORMAL", "PNEUMONIA" or "" when it is not known
    caption: str
    kind: str  # "synthetic", "real" or "own"
    attribution: str = ""  # whom to thank for a real radiograph
    # Where the opacity lies, when it is known: x, y, radius as shares of the sides, zone such as
    # "right lower" and its level (upper, middle or lower).
    place: dict | None = None
    hard: bool = False  # whether a network was wrong about it when it was chosen
    number: int = 0  # of a bundled synthetic one, which the page names in its own language


def example_folders(chosen: Path | None = None) -> tuple[Path, ...]:
    """The folders shown: the one chosen, or PNEUMO_EXAMPLES, or downloaded and bundled ones."""
    own = chosen or os.environ.get("PNEUMO_EXAMPLES")
    return (Path(own),) if own else (BUNDLED / "downloaded", BUNDLED)


def find_examples(folders: Sequence[Path], most: int = MOST) -> tuple[Example, ...]:
    """The images of the folders, by their cases.json; without one, every file of a local folder."""
    found: list[Example] = []
    for folder in folders:
        bundled = BUNDLED in (folder, folder.parent)
        cases = _cases(folder)
        if cases is None and not bundled and folder.is_dir():
            cases = [
                {"file": path.relative_to(folder).as_posix(), "title": path.stem}
                for path in sorted(folder.rglob("*"))
                if path.is_file() and not path.name.startswith(".")
            ]
        found += [_example(folder, case, bundled) for case in cases or []]
    return tuple(example for example in found if example.path.is_file())[:most]


def gallery(examples: Sequence[Example]) -> list[dict]:
    """What the page shows of each example that can be read: id, title, caption, thumbnail."""
    shown = []
    for number, example in enumerate(examples):
        try:
            picture = thumbnail(read_radiograph(example.path))
        except UnreadableImage:
            continue
        shown.append({"id": number, "kind": example.kind, "png": picture, **words_of(example)})
    return shown


def words_of(example: Example) -> dict:
    """Title, truth, caption and attribution; those of Pneumo's own in the page's language."""
    words = {key: getattr(example, key) for key in ("title", "truth", "caption", "attribution")}
    if example.number:
        words["title"] = text("examples.number", number=example.number)
        words["caption"] = text("examples.synthetic")
    return words


def _cases(folder: Path) -> list[dict] | None:
    """The entries of a folder's cases.json; None when there is no usable one."""
    try:
        cases = json.loads((folder / CASES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(cases, list):
        return None
    return [case for case in cases if isinstance(case, dict) and isinstance(case.get("file"), str)]


def _example(folder: Path, case: dict, bundled: bool) -> Example:
    kind = "synthetic" if case.get("synthetic") else "real" if bundled else "own"
    title = str(case.get("title") or Path(case["file"]).stem)
    truth, caption, thanks = (str(case.get(k) or "") for k in ("truth", "caption", "attribution"))
    readings = case.get("readings")
    labels = [one.get("label") for one in readings.values()] if isinstance(readings, dict) else []
    hard = any(label != truth for label in labels)
    number = case.get("number")
    return Example(
        folder / case["file"],
        title,
        truth,
        caption,
        kind,
        thanks,
        _place(case.get("opacity")),
        hard,
        number if isinstance(number, int) else 0,
    )


def _place(opacity: object) -> dict | None:
    """An opacity's place as the page draws it, None where it is not known."""
    if not isinstance(opacity, dict):
        return None
    try:
        place: dict = {name: float(opacity[name]) for name in ("x", "y", "radius")}
        zone = f"{opacity['side']} {opacity['zone']}"
        return {**place, "zone": zone, "level": str(opacity["zone"])}
    except (KeyError, TypeError, ValueError):
        return None
