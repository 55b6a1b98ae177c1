"""pneumo data audit: the audit of a dataset as a table, a plot and JSON."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable

from tqdm import tqdm

from pneumo.commands.output import printable, refuse_inputs
from pneumo.data.audit import audit
from pneumo.files import write_whole

SHOWN = 10  # names in a list before it is cut short
PROPERTIES = {
    "sharpness": "sharpness",
    "file_bytes": "file size",
    "bytes_per_pixel": "bytes per pixel",
}
TELLING = 0.2  # distance of an AUC from 0.5 that is worth a remark


def run(args: argparse.Namespace) -> int:
    """Audit; 0 when every image could be read, 1 when not.

    Raises:
        DataError: when the folder holds no dataset.
        OutputError: when a result would overwrite an image.
    """
    if args.plot and args.plot.suffix.lower() not in (".png", ".svg", ".pdf"):
        args.usage_error("a plot is written as .png, .svg or .pdf")
    refuse_inputs(filter(None, (args.plot, args.json)), args.dir.rglob("*"))
    with tqdm(unit="image", desc="audit", delay=2, leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        found = audit(args.dir, progress)
    record = {"folder": str(args.dir), **found.record()}
    for line in table(record):
        print(line)
    for file in filter(None, (args.plot, args.json)):
        file.parent.mkdir(parents=True, exist_ok=True)
    if args.json:
        write_whole(args.json, (json.dumps(record, indent=2) + "\n").encode())
    if args.plot:
        from pneumo.data.audit_plot import draw  # matplotlib takes a second to load

        draw(found, args.plot)
    return 1 if found.unreadable else 0


def table(record: dict) -> list[str]:
    """The lines the command prints, from what `Audit.record` gives."""
    splits = record["splits"]
    lines = [f"{'':<38}" + "".join(f"{split:>16}" for split in splits)]
    lines += [
        f"{title:<38}" + "".join(f"{cell(part):>16}" for part in splits.values())
        for title, cell in _ROWS.items()
    ]
    return [*lines, "", *_remarks(record)]


def _class(name: str) -> Callable[[dict], str]:
    return lambda part: (
        f"{part['classes'][name]} ({part['classes'][name] / part['radiographs']:.1%})"
    )


def _auc(name: str) -> Callable[[dict], str]:
    def cell(part: dict) -> str:
        area = part["normal_is_higher_auc"][name]
        return "-" if area is None else f"{area:.3f}"

    return cell


def _medians(name: str, digits: int) -> Callable[[dict], str]:
    def cell(part: dict) -> str:
        values = part["medians"][name].values()
        return " / ".join("-" if value is None else f"{value:.{digits}f}" for value in values)

    return cell


_ROWS: dict[str, Callable[[dict], object]] = {
    "radiographs": lambda part: part["radiographs"],
    "  NORMAL": _class("NORMAL"),
    "  PNEUMONIA": _class("PNEUMONIA"),
    "    bacterial / viral": lambda part: " / ".join(
        str(part["kinds"].get(kind, 0)) for kind in ("bacteria", "virus")
    ),
    "patients (series and number)": lambda part: part["patients"],
    "  most of one patient": lambda part: part["most_of_a_patient"],
    "identical images: pairs": lambda part: part["duplicates"]["pairs"],
    "  sets": lambda part: part["duplicates"]["sets"],
    "  copies too many": lambda part: part["duplicates"]["redundant"],
    "  sets with both labels": lambda part: part["duplicates"]["sets_with_both_labels"],
    "  sets of several patients": lambda part: part["duplicates"]["sets_of_several_patients"],
    "image sizes": lambda part: part["sizes"]["different"],
    "  commonest": lambda part: part["sizes"]["commonest"],
    "AUC of one property (higher: NORMAL)": lambda part: "",
    "  sharpness": _auc("sharpness"),
    "  file size": _auc("file_bytes"),
    "  bytes per pixel": _auc("bytes_per_pixel"),
    "medians, NORMAL / PNEUMONIA": lambda part: "",
    "  sharpness (Laplacian variance)": _medians("sharpness", 0),
    "  file size (bytes)": _medians("file_bytes", 0),
    "  file bytes per pixel": _medians("bytes_per_pixel", 3),
}


def _remarks(record: dict) -> list[str]:
    across = record["across"]
    shared = across["patients_in_several_splits"]
    lines = [
        f"Patients in more than one split: {len(shared)}{_few(shared)}.",
        f"Identical images in more than one split: {across['identical_in_several_splits']}; "
        f"under both labels: {across['identical_with_both_labels']}.",
    ]
    for split, part in record["splits"].items():
        telling = {
            name: area
            for name, area in part["normal_is_higher_auc"].items()
            if area is not None and abs(area - 0.5) >= max(TELLING, _chance(part))
        }
        if telling:
            which = ", ".join(f"{PROPERTIES[name]} {area:.2f}" for name, area in telling.items())
            lines.append(
                f"In {split}, a property of the file alone gives the label away (AUC: {which}); a "
                "network can learn that instead of disease."
            )
    if record["unreadable"]:
        lines.append(f"{len(record['unreadable'])} images could not be read and are not counted:")
        lines += [f"  {printable(sentence)}" for sentence in record["unreadable"][:SHOWN]]
        if len(record["unreadable"]) > SHOWN:
            lines.append(f"  and {len(record['unreadable']) - SHOWN} more")
    return lines


def _chance(part: dict) -> float:
    """How far an AUC strays from 0.5 by chance: three standard deviations (Mann and Whitney)."""
    normal, pneumonia = part["classes"]["NORMAL"], part["classes"]["PNEUMONIA"]
    return 3 * math.sqrt((normal + pneumonia + 1) / (12 * normal * pneumonia))


def _few(names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f" ({', '.join(names[:SHOWN])}{more})"
