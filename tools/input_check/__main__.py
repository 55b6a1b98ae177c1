"""python -m tools.input_check: fit and measure the input check, and bind the cards to it."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from pneumo.data.dataset import DataError
from pneumo.models.card import (
    BUNDLED,
    CheckpointError,
    Estimate,
    read_card,
    write_card,
    write_typed,
)
from pneumo.models.checkpoint import available_models
from pneumo.reading.input_check import FILE, FORMAT, WHAT, load_input_check
from pneumo.reporting import model_card
from pneumo.reporting.numbers import percent
from tools.input_check.fit import Fit
from tools.input_check.material import read_material
from tools.input_check.measure import refusals, warnings


def main(words: list[str] | None = None) -> int:
    """Fit, measure and write; 0 when done, 1 when an image or a folder is missing."""
    parser = argparse.ArgumentParser(prog="python -m tools.input_check", description=__doc__)
    for name, text in (
        ("--data", "dataset with train/NORMAL and train/PNEUMONIA"),
        ("--not-chest", "a sub-folder for each kind of image that is no frontal chest radiograph"),
        ("--adults", "adults' frontal chest radiographs in images/, named PATIENT_NUMBER"),
    ):
        parser.add_argument(name, type=Path, required=True, metavar="DIR", help=text)
    parser.add_argument("--out", type=Path, default=BUNDLED, metavar="DIR", help="checkpoints")
    args = parser.parse_args(words)
    try:
        fit_and_measure(args.data, args.not_chest, args.adults, args.out)
    except (DataError, CheckpointError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def fit_and_measure(data: Path, not_chest: Path, adults: Path, out: Path) -> None:
    """Write input_check.json to a folder of checkpoints, bind its cards, render MODEL_CARD.md.

    Raises:
        DataError: when a folder is missing or empty, or an image cannot be read.
        CheckpointError: when a card of the folder is damaged.
    """
    print("- reading images", flush=True)
    material = read_material(data, not_chest, adults)
    print("- fitting", flush=True)
    fit = Fit(material)
    file = fit.file()
    print("- measuring, in per cent", flush=True)
    found = []
    for row in warnings(file, material):
        found.append(row)
        alarms, right = map(_percent, (row.false_alarms, row.found))
        print(
            f"    {row.code}, {row.population} {row.change}: false alarms {alarms}, found {right}"
        )
    refused = []
    for kind in refusals(fit, file, material):
        refused.append(kind)
        what = "chest" if kind.chest else "other"
        print(
            f"    {what}: {kind.kind} {kind.change}: refused {_percent(kind.refused)}", flush=True
        )
    file = replace(file, refusals=tuple(refused), warnings=tuple(found))
    write_typed(file, out / FILE, WHAT, FORMAT)
    check = load_input_check(out)
    for name in available_models(out):
        write_card(replace(read_card(name, out), input_check_sha256=check.sha256), out)
    model_card.write(out)


def _percent(share: Estimate | None) -> str:
    return "–" if share is None else f"{percent(share)} of {share.n}"


if __name__ == "__main__":
    sys.exit(main())
