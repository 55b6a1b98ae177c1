"""python -m pneumo predict: read films and folders of films, one record each."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np
from tqdm import tqdm

from pneumo.commands.spreadsheet import plain
from pneumo.imaging.overlay import blend, colour_layer, encode_png
from pneumo.imaging.radiograph import Radiograph
from pneumo.models.checkpoint import available_models
from pneumo.models.networks import network_names
from pneumo.reading.reader import Reader, Reading

COLUMNS = (
    "path", "status", "reason", "model", "probability", "label", "confidence", "threshold",
    "operating_point", "warnings", "source", "seconds", "weights_sha256",
)
TABLE = (
    "status", "label", "probability", "confidence", "threshold", "model", "path", "reason",
    "warnings",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-command's arguments."""
    parser.add_argument("paths", nargs="+", metavar="PATH",
                        help="films, or folders whose files are all read")
    parser.add_argument("--model", choices=network_names(), help="default: resnet18 if there")
    parser.add_argument("--threshold", type=_probability, metavar="T",
                        help="own threshold on the probability, 0 to 1; UNCERTAIN is then what "
                        "lies in the card's band, widened to hold the threshold")
    parser.add_argument("--no-guard", action="store_true",
                        help="read also what does not look like a frontal chest radiograph; "
                        "its record says so")
    parser.add_argument("--format", choices=("table", "jsonl", "csv"), default="table")
    parser.add_argument("--output", type=Path, metavar="FILE", help="instead of the screen")
    parser.add_argument("--heatmaps", type=Path, metavar="DIR",
                        help="write STEM.npy (signed evidence) and STEM.png (overlay) there")


def run(args: argparse.Namespace) -> int:
    """Read everything; 0 when all films were read, 1 when some were not.

    Raises:
        CheckpointError: when there is no usable checkpoint.
    """
    reader = Reader(args.model or default_model(), args.threshold, not args.no_guard)
    paths = list(walk(args.paths))
    if args.heatmaps:
        args.heatmaps.mkdir(parents=True, exist_ok=True)
    unread, stems = 0, set()
    target = args.output.open("w", newline="") if args.output else nullcontext(sys.stdout)
    with target as stream:
        write = _writer(args.format, stream, bool(args.heatmaps))
        for path in tqdm(paths, unit="film", delay=2, disable=None, file=sys.stderr):
            radiograph, reading = reader.examine(path)
            named = [check.name for check in reading.checks if check.outcome != "passed"]
            record = {"path": str(path), **reading.record(), "warnings": " ".join(named)}
            if args.heatmaps:
                record["heatmap"] = None
                if reading.ok:
                    stem = _free_stem(Path(path).stem, stems)
                    write_heatmap(args.heatmaps / stem, radiograph, reading, reader)
                    record["heatmap"] = f"{stem}.npy"
            write(record)
            unread += not reading.ok
    if args.format == "table" and len(paths) != 1:
        print(f"{len(paths) - unread} of {len(paths)} read.", file=sys.stderr)
    return 1 if unread else 0


def default_model() -> str:
    """resnet18 where it has a checkpoint, else the first network that has one."""
    names = available_models()
    return "resnet18" if "resnet18" in names or not names else names[0]


def walk(paths: list[str]) -> Iterator[str]:
    """Files as given, and every file below folders, sorted, without hidden ones."""
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                if not name.startswith("."):
                    yield os.path.join(folder, name)


def write_heatmap(place: Path, radiograph: Radiograph, reading: Reading, reader: Reader) -> None:
    """Write `place`.npy and `place`.png.

    The array is float32 with the rows and columns of the film: the reading's heat, interpolated
    bilinearly and otherwise as it is. The picture is the film under the heat for pneumonia.
    """
    height, width = radiograph.pixels.shape
    heat = cv2.resize(reading.heat, (width, height), interpolation=cv2.INTER_LINEAR)
    np.save(place.with_name(place.name + ".npy"), heat)
    layer = colour_layer(reading.heat, radiograph.pixels.shape, reader.heat_scale)
    place.with_name(place.name + ".png").write_bytes(encode_png(blend(radiograph.pixels, layer)))


def _free_stem(stem: str, taken: set[str]) -> str:
    """The stem itself, or with -2, -3 ... when films of several folders share it."""
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name)
    return name


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 0 to 1")
    return value


def _writer(form: str, stream: TextIO, heatmaps: bool):
    if form == "jsonl":
        def write(record: dict) -> None:
            stream.write(json.dumps(record) + "\n")
            stream.flush()
    elif form == "csv":
        columns = COLUMNS + (("heatmap",) if heatmaps else ())
        rows = csv.DictWriter(stream, columns, extrasaction="ignore")
        rows.writeheader()

        def write(record: dict) -> None:
            rows.writerow({name: plain(value) for name, value in record.items()})
    else:
        widths = (8, 10, 11, 10, 9, 9)
        stream.write(_line([*TABLE[:6], "path"], widths))

        def write(record: dict) -> None:
            cells = [record[name] for name in TABLE]
            note = cells[7] or cells[8]
            place = cells[6] + (f"  ({note})" if note else "")
            stream.write(_line([*cells[:6], place], widths))
            stream.flush()
    return write


def _line(cells: list, widths: tuple[int, ...]) -> str:
    words = ["-" if c is None else f"{c:.3f}" if isinstance(c, float) else str(c) for c in cells]
    padded = [word.ljust(width) for word, width in zip(words, widths, strict=False)]
    return "  ".join([*padded, words[-1]]) + "\n"
