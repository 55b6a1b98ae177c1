"""pneumo data: download the dataset, or audit a copy of it."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from pneumo.data.download import ATTRIBUTION, MIRROR, download


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `data download` and `data audit`."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    text = "fetch the dataset (1.2 GB) from the Hugging Face Hub"
    fetch = commands.add_parser(
        "download", help=text, description=f"Source: {ATTRIBUTION}; {MIRROR}."
    )
    text = "where train/, test/ and val/ go (default: %(default)s)"
    fetch.add_argument("--out", type=Path, default=Path("data"), metavar="DIR", help=text)
    fetch.set_defaults(act=_download)
    text = "counts, patients, duplicates, and properties of files that give the label away"
    look = commands.add_parser("audit", help=text, description=text)
    look.add_argument("dir", type=Path, metavar="DIR", help="holds train/, test/ or val/")
    look.add_argument("--plot", type=Path, metavar="FILE", help="also draw it (.png, .svg, .pdf)")
    look.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers")
    look.set_defaults(act=_audit, usage_error=look.error)


def run(args: argparse.Namespace) -> int:
    """Run the chosen one; its exit code."""
    return args.act(args)


def _download(args: argparse.Namespace) -> int:
    """Fetch what is missing and say what is there.

    Raises:
        HubError: with a sentence.
    """
    record = download(args.out, ("train", "test", "val"), lambda split, label: f"{split}/{label}")
    images = [name for names in record["files"].values() for name in names]
    counts = Counter(name.rpartition("/")[0] for name in images)
    print(f"{args.out} is complete.")
    for folder, count in sorted(counts.items()):
        print(f"  {folder:<16} {count:>5} images")
    print(f"Source: {ATTRIBUTION}; mirror {MIRROR} at {record['revision'][:12]}.")
    return 0


def _audit(args: argparse.Namespace) -> int:
    from pneumo.commands.audit import run as audit  # PyTorch takes seconds to load

    return audit(args)
