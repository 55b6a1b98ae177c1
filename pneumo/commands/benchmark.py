"""python -m pneumo benchmark: how fast the project works on this machine."""

from __future__ import annotations

import argparse

from pneumo.commands import benchmark_batch, benchmark_training

# What is measured -> its module; each has a first line, add_arguments and run, as a command has.
BENCHMARKS = {"batch": benchmark_batch, "training": benchmark_training}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare one sub-command for each thing that can be measured."""
    kinds = parser.add_subparsers(dest="benchmark", required=True, metavar="WHAT")
    for name, module in BENCHMARKS.items():
        text = module.__doc__.splitlines()[0].partition(": ")[2]
        kind = kinds.add_parser(name, help=text, description=text, allow_abbrev=False)
        module.add_arguments(kind)
        kind.set_defaults(measure=module.run)


def run(args: argparse.Namespace) -> int:
    """Measure what was asked for."""
    return args.measure(args)
