"""python -m tools.synthetic make | distances | reread: the synthetic radiographs of examples/."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np

from pneumo.data.dataset import DataError
from pneumo.imaging.radiograph import UnreadableImage, read_radiograph
from pneumo.models.checkpoint import CheckpointError, available_models
from pneumo.reading.reader import Reader
from tools.synthetic.candidates import class_models, make, slots
from tools.synthetic.cases import (
    CASES,
    ExampleError,
    fits,
    noted,
    read_cases,
    write,
    write_records,
)
from tools.synthetic.distances import PERCENTILE, SIDE, RealRadiographs, real_radiographs


def main(words: list[str] | None = None) -> int:
    """Run a sub-command; 0 when all went well, 1 when something does not pass or is missing."""
    parser = argparse.ArgumentParser(prog="python -m tools.synthetic", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make", help="draw the radiographs")
    making.add_argument("--seed", type=int, default=0, help="of the whole set (default 0)")
    making.add_argument("--count", type=int, default=12, help="an even number (default 12)")
    making.add_argument("--tries", type=int, default=12, help="candidates for each at most")
    making.add_argument(
        "--models", nargs="*", metavar="NAME", help="networks that judge; default: all bundled"
    )
    checking = commands.add_parser("distances", help="print each one's distance to real ones")
    rereading = commands.add_parser("reread", help="note the readings again, after new weights")
    for command, act in ((making, _make), (checking, _distances), (rereading, _reread)):
        command.set_defaults(act=act)
        command.add_argument("--folder", type=Path, default=Path("examples"), metavar="DIR")
        if command is not rereading:
            command.add_argument(
                "--data",
                type=Path,
                required=True,
                metavar="DIR",
                help="dataset: train/ and test/ with NORMAL/ and PNEUMONIA/",
            )
    args = parser.parse_args(words)
    try:
        return args.act(args)
    except (ExampleError, DataError, CheckpointError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _make(args: argparse.Namespace) -> int:
    wanted = slots(args.count)
    names = available_models() if args.models is None else args.models
    readers = [Reader(name) for name in names]
    real = real_radiographs(args.data)
    cases = make(wanted, class_models(args.data), real, readers, args.seed, args.tries)
    write(cases, args.folder)
    print(f"Wrote {len(cases)} radiographs and {CASES} to {args.folder}.")
    return 0


def _reread(args: argparse.Namespace) -> int:
    """Replaces the noted readings; 1 when one no longer shows what it was chosen for."""
    cases, readers = read_cases(args.folder), [Reader(name) for name in available_models()]
    wrong = 0
    for case in cases:
        readings = {reader.name: reader.predict(args.folder / case["file"]) for reader in readers}
        said = ", ".join(
            f"{name} {one.label} {one.probability or 0:.3f}" for name, one in readings.items()
        )
        fit = fits(case["truth"], case.get("difficult", False), readings)
        print(f"{case['file']} ({case['truth']}): {said}" + ("" if fit else "; does not fit"))
        case["readings"] = noted(readings)
        wrong += not fit
    write_records(cases, args.folder)
    return 1 if wrong else 0


def _distances(args: argparse.Namespace) -> int:
    cases = read_cases(args.folder)
    return 1 if report(args.folder, cases, real_radiographs(args.data)) else 0


def report(folder: Path, cases: list[dict], real: RealRadiographs) -> int:
    """Prints the distance of every picture of a folder to its nearest real radiograph.

    Args:
        folder: holds the pictures.
        cases: entries of cases.json: `file` and `sha256` are looked at.
        real: the measured real radiographs.

    Returns:
        How many pictures do not pass: too near, not as listed, unreadable, or not listed at all.
    """
    print(
        f"{len(real.names):,} real radiographs of train and test; distance of {SIDE} x {SIDE} grey "
        "pictures without brightness and contrast, 0 to 2, mirror images included."
    )
    print(
        f"Radiographs of different patients: {PERCENTILE:g}th percentile of the nearest neighbour "
        f"{real.limit:.4f} (median {np.median(real.between):.4f}). "
        "A synthetic one must not be nearer than that."
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


def _verdict(path: Path, sha256: str | None, real: RealRadiographs) -> str:
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


if __name__ == "__main__":
    sys.exit(main())
