"""`python -m pneumo examples make | distances`: makes the synthetic films, proves them nobody's."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np

from pneumo.data.dataset import DataError
from pneumo.evaluation.distances import PERCENTILE, SIDE, RealFilms, real_films
from pneumo.evaluation.example_cases import (
    CASES,
    CHOSEN,
    ExampleError,
    agreement,
    noted,
    read_cases,
    write,
    write_records,
)
from pneumo.imaging.radiograph import UnreadableImage, read_radiograph
from pneumo.models.checkpoint import CheckpointError, available_models
from pneumo.reading.reader import Reader
from pneumo.training.candidates import class_models, make, slots


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds `make`, `distances` and `reread` below the parser of `examples`."""
    add_commands(parser.add_subparsers(dest="examples_command", required=True))


def add_commands(commands) -> None:
    """Adds `make`, `distances` and `reread` to sub-commands that may hold others.

    Args:
        commands: what `ArgumentParser.add_subparsers` returned.
    """
    making = commands.add_parser("make", help="draw the synthetic films")
    making.set_defaults(examples_act=_make)
    making.add_argument("--out", type=Path, default=Path("examples"), metavar="DIR")
    making.add_argument("--seed", type=_whole, default=0, help="of the whole set (default 0)")
    making.add_argument("--count", type=int, default=12, help="films, an even number (default 12)")
    making.add_argument(
        "--models", nargs="*", metavar="NAME",
        help="networks that must agree with the class; default: all that have a checkpoint; "
        "without a name: none",
    )  # fmt: skip
    making.add_argument("--tries", type=_tries, default=12, help="candidates a film at most")
    checking = commands.add_parser("distances", help="print each film's distance to real ones")
    checking.set_defaults(examples_act=_distances)
    checking.add_argument("--folder", type=Path, default=Path("examples"), metavar="DIR")
    rereading = commands.add_parser("reread", help="read the films again, after new weights")
    rereading.set_defaults(examples_act=_reread)
    rereading.add_argument("--folder", type=Path, default=Path("examples"), metavar="DIR")
    for command in (making, checking):
        command.add_argument(
            "--data", type=Path, required=True, metavar="DIR",
            help="dataset: train/ and test/ with NORMAL/ and PNEUMONIA/",
        )  # fmt: skip


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 0.")
    return int(text)


def _tries(text: str) -> int:
    if not 1 <= _whole(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 1000.")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Runs the chosen sub-command.

    Returns:
        0 when all went well, 1 when a film does not pass, 2 when something needed is missing.
    """
    try:
        return args.examples_act(args)
    except ExampleError as error:
        print(error, file=sys.stderr)
        return 1
    except (DataError, CheckpointError) as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.filename} cannot be read or written: {error.strerror}.", file=sys.stderr)
        return 2


def _make(args: argparse.Namespace) -> int:
    wanted = slots(args.count)
    names = available_models() if args.models is None else args.models
    readers = [Reader(name) for name in names]
    print("Asked for agreement:", ", ".join(names) or "no network")
    real = real_films(args.data)
    cases = make(wanted, class_models(args.data), real, readers, args.seed, args.tries)
    write(cases, args.out)
    print(f"Wrote {len(cases)} films and {CASES} to {args.out}.")
    return 0


def _reread(args: argparse.Namespace) -> int:
    """Replaces the noted readings, and captions' words on them; 1 when a film is called what it
    is not."""
    cases, readers = read_cases(args.folder), [Reader(name) for name in available_models()]
    wrong = 0
    for case in cases:
        readings = {reader.name: reader.read(args.folder / case["file"]) for reader in readers}
        said = ", ".join(f"{name} {one.label} {one.probability:.3f}"
                         for name, one in readings.items())
        fits = all(one.label in (case["truth"], "UNCERTAIN") for one in readings.values())
        print(f"{case['file']}: {said}" + ("" if fits else f"; but it is {case['truth']}"))
        case["readings"] = noted(readings)
        sure = sorted(name for name, one in readings.items() if one.label == case["truth"])
        case["caption"] = case["caption"].partition(CHOSEN)[0] + agreement(sure)
        wrong += not fits
    write_records(cases, args.folder)
    return 1 if wrong else 0


def _distances(args: argparse.Namespace) -> int:
    cases = read_cases(args.folder)
    return 1 if report(args.folder, cases, real_films(args.data)) else 0


def report(folder: Path, cases: list[dict], real: RealFilms) -> int:
    """Prints the distance of every picture of a folder to its nearest real film.

    Args:
        folder: holds the pictures.
        cases: entries of cases.json: `file` and `sha256` are looked at.
        real: the measured real films.

    Returns:
        How many pictures do not pass: too near, not as listed, unreadable, or not listed at all.
    """
    print(
        f"{len(real.names):,} real films of train and test; distance of {SIDE} x {SIDE} grey "
        "pictures without brightness and contrast, 0 to 2, mirror images included."
    )
    print(
        f"Real films of different patients: {PERCENTILE:g}th percentile of the nearest neighbour "
        f"{real.limit:.4f} (median {np.median(real.between):.4f}). "
        "A synthetic film must not be nearer than that."
    )
    listed = {case["file"]: case.get("sha256") for case in cases}
    extra = sorted(p.name for p in folder.glob("*.png") if p.name not in listed)
    failed = 0
    for name in [*listed, *extra]:
        verdict = _verdict(folder / name, listed.get(name), real)
        failed += not verdict.startswith("passes")
        print(f"{name:34} {verdict}")
    print("All pass." if not failed else f"{failed} of {len(listed) + len(extra)} do not pass.")
    return failed


def _verdict(path: Path, sha256: str | None, real: RealFilms) -> str:
    """What is to be said about one picture; begins with "passes" or "FAILS"."""
    try:
        pixels = read_radiograph(path).pixels
    except UnreadableImage as error:
        return f"FAILS  {error.sentence}"
    distance, nearest = real.nearest(pixels)
    measured = f"{distance:.4f} from {nearest}"
    if sha256 is None:
        return f"FAILS  {measured}; {CASES} does not list this picture"
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        return f"FAILS  {measured}; not the picture that {CASES} describes"
    return f"{'passes' if distance >= real.limit else 'FAILS '} {measured}"
