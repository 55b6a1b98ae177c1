"""`python -m pneumo data download`: the whole dataset, 1.2 GB, into folders by split and label."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from pneumo.data.download_remote import AGAIN, HubError
from pneumo.data.download_store import ATTRIBUTION, MIRROR, Record, fetch_films

SPLITS = ("train", "test", "val")
PUBLISHED = {
    "train/NORMAL": 1341,
    "train/PNEUMONIA": 3875,
    "test/NORMAL": 234,
    "test/PNEUMONIA": 390,
    "val/NORMAL": 8,
    "val/PNEUMONIA": 8,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    parser.description = f"Fetches the chest X-ray dataset ({ATTRIBUTION}) from {MIRROR}."
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("data"),
        metavar="DIR",
        help="where train/, test/ and val/ go (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Fetches what is missing; 0 when the folder is complete, 1 with a sentence when not."""
    try:
        had = Record.read(args.out).all_there(SPLITS)
        record = fetch_films(args.out, SPLITS, lambda split, label: f"{split}/{label}")
    except HubError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nStopped. {AGAIN}", file=sys.stderr)
        return 130
    print(f"{args.out} was complete already." if had else f"{args.out} is complete.")
    for line in _count_lines(record):
        print(line)
    print(f"Source: {ATTRIBUTION}; mirror {MIRROR} at {record.revision[:12]}.")
    return 0


def _count_lines(record: Record) -> list[str]:
    """Films by folder, with a remark where they are not those that were published."""
    counts = Counter(name.rpartition("/")[0] for name in record.films())
    lines = []
    for folder, expected in PUBLISHED.items():
        found = counts.get(folder, 0)
        remark = "" if found == expected else f" (published: {expected}; the mirror has changed)"
        there = sum(1 for file in (record.root / folder).glob("*") if file.is_file())
        if there != found:
            remark += f" (and {there - found} files there that did not come from it)"
        lines.append(f"  {folder:<16} {found:>5} films{remark}")
    return lines
