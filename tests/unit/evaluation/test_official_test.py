"""The official test split is scored once for each released weights, and the log says so."""

import shutil
from dataclasses import replace

import pytest

from pneumo.evaluation.official_test import (
    SCORINGS,
    VERSIONS,
    add_row,
    log_version,
    rows,
    score_once,
)
from pneumo.evaluation.release import ReleaseError
from pneumo.models.card import read_card
from pneumo.models.checkpoint import load_checkpoint
from tests.cards import whole_card

pytestmark = pytest.mark.usefixtures("few_resamples")


@pytest.fixture
def checkpoint(stand_ins, tmp_path):
    folder = shutil.copytree(stand_ins, tmp_path / "checkpoints")
    return load_checkpoint("cnn", folder)


def test_a_scoring_is_written_and_logged_once(checkpoint, drawn_dataset, tmp_path):
    log = tmp_path / "experiments.md"
    log.write_text(f"# Lab log\n\n{SCORINGS}\n\n| network |\n| --- |\n| older |\n\n## More\n")
    card = score_once(checkpoint, drawn_dataset, log)
    test = card.metrics.test
    assert test.scores.n == 12 and card.metrics.test_scorings == 1 + (
        checkpoint.card.metrics.test_scorings
    )
    assert all(result.test for result in card.policies.values())
    assert read_card("cnn", checkpoint.folder) == card
    logged = rows(log, SCORINGS)
    assert logged[0] == ["older"] and logged[1][2:4] == [
        checkpoint.weights_sha256[:12], f"{test.scores.auc.value:.4f}"
    ]  # fmt: skip
    assert log.read_text().endswith("## More\n")
    with pytest.raises(ReleaseError, match="scored"):
        score_once(checkpoint, drawn_dataset, log)
    assert len(rows(log, SCORINGS)) == 2


def test_versions_are_numbered_and_the_same_weights_entered_once(tmp_path):
    log = tmp_path / "docs" / "log.md"
    card = whole_card()
    log_version(card, log)
    log_version(card, log)
    unscored = whole_card(test=False)
    newer = replace(unscored, weights=replace(card.weights, sha256="2" * 64))
    log_version(newer, log)
    assert rows(log, VERSIONS)[1][-1] == "-"
    log_version(replace(newer, metrics=card.metrics), log)  # scored since
    assert rows(log, VERSIONS)[1][-1] == f"{card.metrics.test.scores.auc.value:.4f}"
    log_version(whole_card("resnet18", "ResNet-18"), log)
    assert [(row[0], row[1], row[3]) for row in rows(log, VERSIONS)] == [
        ("Custom CNN", "1", "0" * 12),
        ("Custom CNN", "2", "2" * 12),
        ("ResNet-18", "1", "0" * 12),
    ]


def test_a_table_is_made_where_there_is_none(tmp_path):
    log = tmp_path / "log.md"
    assert rows(log, SCORINGS) == []
    add_row(log, SCORINGS, ("a", "b", "c", "d", "e"))
    assert rows(log, SCORINGS) == [["a", "b", "c", "d", "e"]]
