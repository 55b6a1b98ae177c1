"""python -m pneumo examples: make synthetic films, prove them nobody's, or download real ones."""

from __future__ import annotations

import argparse

from pneumo.data import download_examples_command as downloading
from pneumo.evaluation import examples_command as making


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `examples make`, `examples distances` and `examples download`."""
    commands = parser.add_subparsers(dest="examples_command", required=True, metavar="COMMAND")
    making.add_commands(commands)
    sub = commands.add_parser("download", help="fetch the dataset's own 16-film validation split")
    downloading.add_arguments(sub)
    sub.set_defaults(act=downloading.run)


def run(args: argparse.Namespace) -> int:
    """Run the chosen one; its exit code."""
    return args.act(args) if hasattr(args, "act") else making.run(args)
