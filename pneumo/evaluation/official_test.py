"""The official test split: scored once for each released weights, and every scoring is logged."""

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pneumo.evaluation.predictions import labelled_images, predict_all, split_result
from pneumo.evaluation.release import ReleaseError
from pneumo.evaluation.thresholds import measure_policy
from pneumo.models.card import Card, write_card
from pneumo.models.checkpoint import Checkpoint

# Headings of the log, each with the columns of its table.
SCORINGS = "## Scorings of the official test set"
VERSIONS = "## Weights that were bundled"
COLUMNS = {
    SCORINGS: "network | date | weights | AUC | note",
    VERSIONS: "network | version | date | weights | commit | validation AUC",
}


def score_once(checkpoint: Checkpoint, data: Path, log: Path) -> Card:
    """Score a checkpoint on DATA/test, write the result into its card, which is returned, and into
    the Markdown log; a ReleaseError when these weights were scored before."""
    sha256, card = checkpoint.weights_sha256, checkpoint.card
    if any(row[2:3] == [sha256[:12]] for row in rows(log, SCORINGS)):
        raise ReleaseError(
            f"The weights {sha256[:12]} were scored on the official test set before ({log}). It is "
            "scored once for each released weights."
        )
    found = predict_all(checkpoint, labelled_images(data))
    result = split_result(found, card.threshold)
    # Logged before anyone can see it.
    auc = f"{result.scores.auc.value:.4f}"
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
    """Enter bundled weights in the log's table of versions, once."""
    validation, weights = card.metrics.validation, card.weights.sha256[:12]
    mine = [row for row in rows(log, VERSIONS) if row[0] == card.title]
    if all(row[3] != weights for row in mine):
        auc = f"{validation.scores.auc.value:.4f}" if validation else "-"
        commit = card.training.commit or "-"
        row = (card.title, str(len(mine) + 1), _today(), weights, commit, auc)
        add_row(log, VERSIONS, row)


def rows(log: Path, heading: str) -> list[list[str]]:
    """The rows of the table under a heading, without its head."""
    text = log.read_text(encoding="utf-8") if log.is_file() else ""
    table = re.findall(r"^\|(.+)\|$", text.partition(heading)[2].partition("\n## ")[0], re.M)
    return [[cell.strip() for cell in line.split("|")] for line in table[2:]]


def add_row(log: Path, heading: str, cells: Sequence[str]) -> None:
    """Append a row to the table under a heading; heading and table are made when missing."""
    text = log.read_text(encoding="utf-8") if log.is_file() else ""
    if heading not in text:
        columns = COLUMNS[heading]
        rule = " | ".join(["---"] * len(columns.split("|")))
        text = f"{text}\n{heading}\n\n| {columns} |\n| {rule} |\n".lstrip()
    before, _, after = text.partition(heading)
    # After the first unbroken run of lines that begin with a bar.
    after = re.sub(r"((?:^\|.*\n)+)", rf"\1| {' | '.join(cells)} |\n", after, count=1, flags=re.M)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(before + heading + after, encoding="utf-8")


def _today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())
