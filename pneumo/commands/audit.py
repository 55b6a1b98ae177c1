"""pneumo data audit: the audit of a dataset as a table, a plot and JSON."""

import argparse
import json
import math
from collections.abc import Iterator

from pneumo.commands.output import printable, refuse_inputs
from pneumo.data.audit import audit
from pneumo.files import write_whole

SHOWN = 10  # names in a list before it is cut short
TELLING = 0.2  # distance of an AUC from 0.5 that is worth a remark


def run(args: argparse.Namespace) -> int:
    """Audit; 0 when every image could be read, 1 when not. A DataError when the folder holds no
    dataset, an OutputError when a result would overwrite an image."""
    if args.plot and args.plot.suffix.lower() not in (".png", ".svg", ".pdf"):
        args.usage_error("a plot is written as .png, .svg or .pdf")
    refuse_inputs(filter(None, (args.plot, args.json)), args.dir.rglob("*"))
    found = audit(args.dir)
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
    splits = {split: dict(_cells(part)) for split, part in record["splits"].items()}
    names = dict.fromkeys(name for cells in splits.values() for name in cells)
    lines = [f"{'':<45}" + "".join(f"{split:>16}" for split in splits)]
    for name in names:
        cells = (cells.get(name, "-") for cells in splits.values())
        lines.append(f"{name:<45}" + "".join(f"{cell:>16}" for cell in cells))
    return [*lines, "", *_remarks(record)]


def _cells(part: dict, before: str = "") -> Iterator[tuple[str, str]]:
    """Name and value of everything in a split's record, however deep."""
    for key, value in part.items():
        name = before + key.replace("_", " ")
        if isinstance(value, dict):
            yield from _cells(value, f"{name}: ")
        else:
            words = f"{value:.3f}" if isinstance(value, float) else str(value)
            yield name, "-" if value is None else words


def _remarks(record: dict) -> list[str]:
    across = record["across"]
    shared = across["patients_in_several_splits"]
    lines = [
        f"Patients in more than one split: {len(shared)}{_few(shared)}.",
        f"Identical images in more than one split: {across['identical_in_several_splits']}; "
        f"under both labels: {across['identical_with_both_labels']}.",
    ]
    for split, part in record["splits"].items():
        if which := ", ".join(
            f"{name.replace('_', ' ')} {area:.2f}"
            for name, area in part["normal_is_higher_auc"].items()
            if area is not None and abs(area - 0.5) >= max(TELLING, _chance(part))
        ):
            lines.append(
                f"In {split}, a property of the file alone gives the label away (AUC: {which}); a "
                "network can learn that instead of disease."
            )
    if bad := record["unreadable"]:
        lines.append(f"{len(bad)} images could not be read and are not counted:")
        lines += [f"  {printable(sentence)}" for sentence in bad[:SHOWN]]
        lines += [f"  and {len(bad) - SHOWN} more"] if len(bad) > SHOWN else []
    return lines


def _chance(part: dict) -> float:
    """How far an AUC strays from 0.5 by chance: three standard deviations (Mann and Whitney)."""
    normal, pneumonia = part["classes"]["NORMAL"], part["classes"]["PNEUMONIA"]
    return 3 * math.sqrt((normal + pneumonia + 1) / (12 * normal * pneumonia))


def _few(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f" ({', '.join(names[:SHOWN])}{more})" if names else ""
