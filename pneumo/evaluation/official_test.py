"""The official test split: scored once for each released weights, and every scoring is logged."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pneumo.evaluation.predictions import labelled_images, predict_all, split_result
from pneumo.evaluation.release import ReleaseError
from pneumo.evaluation.thresholds import measure_policy
from pneumo.models.card import Card, write_card
from pneumo.models.checkpoint import Checkpoint

SCORINGS = "## Scorings of the official test set"
VERSIONS = "## Weights that were bundled"
HEADS = {
    SCORINGS: ("network", "date", "weights", "AUC", "note"),
    VERSIONS: (
        "network",
        "version",
        "date",
        "weights",
        "commit",
        "validation AUC",
        "official test AUC",
    ),
}


def score_once(checkpoint: Checkpoint, data: Path, log: Path) -> Card:
    """Score a checkpoint on DATA/test, write the result into its card and log the scoring.

    Args:
        checkpoint: as it will be released; its folder holds the card.
        data: holds test/{NORMAL,PNEUMONIA}.
        log: Markdown file with a table of scorings; made when it is missing.

    Returns:
        The card as written.

    Raises:
        ReleaseError: when these weights were scored before.
        DataError: when the split cannot be read.
    """
    sha256 = checkpoint.weights_sha256
    if any(row[2:3] == [sha256[:12]] for row in rows(log, SCORINGS)):
        raise ReleaseError(
            f"The weights {sha256[:12]} were scored on the official test set before ({log}). It is "
            "scored once for each released weights."
        )
    card = checkpoint.card
    found = predict_all(checkpoint, labelled_images(data))
    result = split_result(found, card.threshold)
    auc = f"{result.scores.auc.value:.4f}"
    # Logged before anyone can see it.
    add_row(log, SCORINGS, (card.title, _today(), sha256[:12], auc, "released"))
    policies = {
        name: replace(one, test=measure_policy(one.policy, found.probabilities, found.labels))
        for name, one in card.policies.items()
    }
    metrics = replace(card.metrics, test=result, test_scorings=card.metrics.test_scorings + 1)
    card = replace(card, policies=policies, metrics=metrics)
    write_card(card, checkpoint.folder)
    return card


def log_version(card: Card, log: Path) -> None:
    """Enter bundled weights in the log's table of versions, or bring their row up to date."""
    validation, test = card.metrics.validation, card.metrics.test
    mine = [row for row in rows(log, VERSIONS) if row[0] == card.title]
    known = bool(mine) and mine[-1][3] == card.weights.sha256[:12]
    row = (
        card.title,
        str(len(mine) + (not known)),
        mine[-1][2] if known else _today(),
        card.weights.sha256[:12],
        card.training.commit[:12] or "-",
        f"{validation.scores.auc.value:.4f}" if validation else "-",
        f"{test.scores.auc.value:.4f}" if test else "-",
    )
    if known:
        text = log.read_text(encoding="utf-8")
        log.write_text(text.replace(_line(mine[-1]), _line(row)), encoding="utf-8")
    else:
        add_row(log, VERSIONS, row)


def rows(log: Path, heading: str) -> list[list[str]]:
    """The rows of the table under a heading, without its head."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
    first, last = _table(lines, heading)
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines[first:last]]
    return cells[2:]


def add_row(log: Path, heading: str, cells: Sequence[str]) -> None:
    """Append a row to the table under a heading; heading and table are made when missing."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
    _, last = _table(lines, heading)
    new = [_line(cells)]
    if not last:
        head = HEADS[heading]
        new = ["", heading, "", _line(head), _line(["---"] * len(head)), *new]
        last = len(lines)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(
        "\n".join([*lines[:last], *new, *lines[last:]]).lstrip("\n") + "\n", encoding="utf-8"
    )


def _table(lines: Sequence[str], heading: str) -> tuple[int, int]:
    """First and one after the last line of the table under a heading; (0, 0) without one."""
    if heading not in lines:
        return 0, 0
    place = lines.index(heading)
    first = next((i for i in range(place, len(lines)) if lines[i].startswith("|")), 0)
    last = next((i for i in range(first, len(lines)) if not lines[i].startswith("|")), len(lines))
    return (first, last) if first else (0, 0)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())
