"""Decisions anew: calibration, operating points and UNCERTAIN of weights that stay as they are."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from pneumo.data import dataset
from pneumo.data.memory import Films
from pneumo.evaluation.localization import lung_table
from pneumo.models.checkpoint import load, read_card, write_card
from pneumo.training.finish import commit, judge
from pneumo.training.run import ROOT


@dataclass(frozen=True)
class Renewed:
    """What came of it.

    Attributes:
        card: as written.
        gone: names of the measurements that the new thresholds made void.
    """

    card: dict
    gone: tuple[str, ...]


def renew(name: str, root: Path, folder: Path, masks: Path | None = None) -> Renewed:
    """Judge a checkpoint by its validation films again, as `train.py` does at its end.

    Args:
        name: registered name of the network.
        root: the dataset that it was trained on.
        folder: of the checkpoint, whose card is written anew.
        masks: drawn lung fields, to measure evidence in the lungs again; or None.

    Raises:
        DataError: when these are not the films it was trained on: some that count as validation
            may be known to it.
        CheckpointError: when the checkpoint must not be used.
    """
    checkpoint = load(name, folder)
    card, recipe = checkpoint.card, checkpoint.card["training"]["recipe"]
    table = dataset.films(root, "train")
    if dataset.fingerprint(table) != card["data"]["fingerprint"]:
        raise dataset.DataError(
            f"The films in {root}/train are not those that {name} was trained on, so none of them "
            "is sure to be new to it. Name the folder it was trained on, or train it again."
        )
    _, held_out = dataset.validation_split(table, 0, recipe["folds"], recipe["fold"])
    squares = dataset.load_squares(held_out, checkpoint.preprocessing)
    judged = judge(
        checkpoint.network, Films(squares, dataset.labels(held_out), {}), checkpoint.preprocessing,
        [film.group for film in held_out], [dataset.series_of(film) for film in held_out],
    )
    again = {*judged["metrics"], *(() if masks is None else ("lungs",))}
    gone = tuple(sorted(set(card["metrics"]) - again))
    path = folder / f"{name}.json"
    decided = {"date": time.strftime("%Y-%m-%d", time.gmtime()), "commit": commit(ROOT)}
    write_card({**card, **judged, "decided": decided}, path)
    if masks is not None:
        try:
            lungs = lung_table(name, root, masks, folder)
        except BaseException:
            write_card(card, path)  # nothing is decided by half
            raise
        renewed = read_card(name, folder)
        renewed["metrics"]["lungs"] = lungs
        write_card(renewed, path)
    return Renewed(read_card(name, folder), gone)
