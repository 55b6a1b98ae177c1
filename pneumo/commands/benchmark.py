"""pneumo benchmark: how many radiographs a second this machine analyzes."""

from __future__ import annotations

import argparse
import time
from statistics import median

import torch

from pneumo.commands.output import OutputError
from pneumo.commands.predict import add_model, walk
from pneumo.models.checkpoint import default_model
from pneumo.reading.reader import Reader


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-command's arguments."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="radiographs, or folders of them")
    add_model(parser)
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")


def run(args: argparse.Namespace) -> int:
    """Time each file from its bytes to the reading, and the network's bare forward pass between.

    Raises:
        CheckpointError: when there is no usable checkpoint.
        OutputError: when the paths hold no radiograph that is analyzed.
    """
    reader = Reader(args.model or default_model())
    radiographs = [path for path in walk(args.paths) if reader.predict(path).ok]
    if not radiographs:
        raise OutputError("None of these files is analyzed. Please name some radiographs.")
    side = reader.checkpoint.preprocessing.size
    image = torch.zeros(1, 1, side, side)
    whole, forward = [], []
    for path in radiographs * max(1, args.rounds):
        started = time.perf_counter()
        reader.predict(path)
        whole.append(time.perf_counter() - started)
        # By turns, so that what else the machine does slows both.
        started = time.perf_counter()
        with torch.no_grad():
            reader.checkpoint.network(image)
        forward.append(time.perf_counter() - started)
    print(f"{len(radiographs)} radiographs, {reader.name}, {torch.get_num_threads()} threads")
    print(f"file to reading   {median(whole) * 1000:8.1f} ms, {1 / median(whole):.1f} a second")
    print(f"forward pass      {median(forward) * 1000:8.1f} ms")
    return 0
