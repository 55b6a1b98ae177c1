"""pneumo examples: download the dataset's own validation split, 16 real radiographs (3 MB)."""

from __future__ import annotations

import argparse
import json
from itertools import zip_longest
from pathlib import Path

from pneumo.data.download import ATTRIBUTION, MIRROR, download
from pneumo.files import bundled_folder, write_whole

READ_AS = {
    "NORMAL": "no pneumonia",
    "bacteria": "bacterial pneumonia",
    "virus": "viral pneumonia",
    "PNEUMONIA": "pneumonia",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `examples download`."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    text = f"fetch 16 real radiographs that no model was trained or tested on ({ATTRIBUTION})"
    fetch = commands.add_parser("download", help=text, description=text)
    text = "where the images and their cases.json go (default: where the app looks for them)"
    place = bundled_folder("examples") / "downloaded"
    fetch.add_argument("--out", type=Path, default=place, metavar="DIR", help=text)


def run(args: argparse.Namespace) -> int:
    """Fetch what is missing and describe it for the gallery.

    Raises:
        HubError: with a sentence.
    """
    record = download(args.out, ("val",), lambda split, label: label)
    cases = describe(sorted(name for names in record["files"].values() for name in names))
    write_whole(args.out / "cases.json", json.dumps(cases, indent=2).encode())
    print(f"{args.out} holds {len(cases)} real radiographs for the gallery.")
    print(f"Source: {ATTRIBUTION}; mirror {MIRROR} at {record['revision'][:12]}.")
    return 0


def describe(images: list[str]) -> list[dict]:
    """The gallery's cases, normal and pneumonia in turn; `file` is relative to the folder."""
    normal = [name for name in images if name.startswith("NORMAL/")]
    others = [name for name in images if not name.startswith("NORMAL/")]
    in_turn = [name for pair in zip_longest(normal, others) for name in pair if name]
    cases = []
    for number, name in enumerate(in_turn, 1):
        truth = name.partition("/")[0]
        kind = next((kind for kind in ("bacteria", "virus") if kind in name.lower()), truth)
        caption = f"A child's radiograph, published as {READ_AS[kind]}; never trained or tested on."
        case: dict[str, object] = {
            "title": f"Radiograph {number} of {len(images)}",
            "caption": caption,
        }
        case |= {"file": name, "truth": truth, "synthetic": False, "attribution": ATTRIBUTION}
        cases.append(case)
    return cases
