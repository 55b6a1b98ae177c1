"""python -m pneumo data: download the dataset, or audit a copy of it."""

from __future__ import annotations

import argparse

from pneumo.data import audit_command, download_data_command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `data download` and `data audit`."""
    commands = parser.add_subparsers(dest="data_command", required=True, metavar="COMMAND")
    for name, module, text in (
        ("download", download_data_command, "fetch the dataset from the Hugging Face Hub"),
        ("audit", audit_command, "counts, patients, duplicates and give-aways of a copy"),
    ):
        sub = commands.add_parser(name, help=text, allow_abbrev=False)
        module.add_arguments(sub)
        sub.set_defaults(act=module.run)


def run(args: argparse.Namespace) -> int:
    """Run the chosen one; its exit code."""
    return args.act(args)
