"""`python -m pneumo examples download`: the dataset's own 16-film validation split, 3 MB."""

import argparse
import json
import sys
from itertools import zip_longest
from pathlib import Path

from pneumo.data.download_remote import AGAIN, HubError, disk_error
from pneumo.data.download_store import ATTRIBUTION, MIRROR, Record, fetch_films, write_whole

CASES = "cases.json"
READ_AS = {
    "NORMAL": "no pneumonia",
    "bacteria": "bacterial pneumonia",
    "virus": "viral pneumonia",
    "PNEUMONIA": "pneumonia",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    parser.description = (
        f"Fetches 16 real films that are neither trained nor tested on ({ATTRIBUTION})."
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("examples/downloaded"),
        metavar="DIR",
        help="where the films and their cases.json go (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Fetches what is missing; 0 when the folder is complete, 1 with a sentence when not."""
    try:
        record = fetch_films(args.out, ("val",), lambda split, label: label)
        cases = describe(record)
        write_whole(args.out, CASES, json.dumps(cases, indent=2).encode())
    except HubError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(disk_error(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nStopped. {AGAIN}", file=sys.stderr)
        return 130
    print(f"{args.out} holds {len(cases)} real films for the gallery.")
    print(f"Source: {ATTRIBUTION}; mirror {MIRROR} at {record.revision[:12]}.")
    return 0


def describe(record: Record) -> list[dict]:
    """The gallery's cases, normal and pneumonia in turn; `file` is relative to the folder."""
    films = sorted(record.films())
    normal = [name for name in films if name.startswith("NORMAL/")]
    others = [name for name in films if not name.startswith("NORMAL/")]
    in_turn = [name for pair in zip_longest(normal, others) for name in pair if name]
    return [_case(name, number, len(films)) for number, name in enumerate(in_turn, 1)]


def _case(name: str, number: int, total: int) -> dict:
    truth, _, file_name = name.partition("/")
    kind = next((kind for kind in ("bacteria", "virus") if kind in file_name.lower()), truth)
    return {
        "file": name,
        "title": f"Child's film {number} of {total}",
        "truth": truth,
        "caption": f"A real child's film that its publishers read as {READ_AS[kind]}; "
        "never trained or tested on.",
        "synthetic": False,
        "attribution": ATTRIBUTION,
    }
