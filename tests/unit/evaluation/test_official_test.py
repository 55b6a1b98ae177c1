"""The official test split is scored once for each released weights, and the log says so."""

import shutil
from dataclasses import replace

import pytest

from pneumo.evaluation.official_test import SCORINGS, VERSIONS, log_version, rows, score_once
from pneumo.evaluation.release import ReleaseError
from pneumo.models.card import read_card
from pneumo.models.checkpoint import load_checkpoint
from tests.cards import whole_card

pytestmark = pytest.mark.usefixtures("few_resamples")


def test_a_scoring_is_written_and_logged_once(stand_ins, drawn_dataset, tmp_path):
    checkpoint = load_checkpoint("cnn", shutil.copytree(stand_ins, tmp_path / "checkpoints"))
    log = tmp_path / "experiments.md"
    log.write_text(f"# Lab log\n\n{SCORINGS}\n\n| network |\n| --- |\n| older |\n\n## More\n")
    card = score_once(checkpoint, drawn_dataset, log)
    test = card.metrics.test
    assert test.scores.n == 12
    assert card.metrics.test_scorings == 1 + checkpoint.card.metrics.test_scorings
    assert all(result.test for result in card.policies.values())
    assert read_card("cnn", checkpoint.folder) == card
    older, mine = rows(log, SCORINGS)
    assert older == ["older"]
    assert mine[2:4] == [checkpoint.weights_sha256[:12], f"{test.scores.auc.value:.4f}"]
    assert log.read_text().endswith("|\n\n## More\n")
    with pytest.raises(ReleaseError, match="scored"):
        score_once(checkpoint, drawn_dataset, log)
    assert len(rows(log, SCORINGS)) == 2


def test_versions_are_numbered_and_the_same_weights_entered_once(tmp_path):
    log, card = tmp_path / "docs" / "log.md", whole_card()
    newer = replace(whole_card(test=False), weights=replace(card.weights, sha256="2" * 64))
    for one in (card, card, newer, whole_card("resnet18", "ResNet-18"), newer):
        log_version(one, log)
    assert [(row[0], row[1], row[3], row[6]) for row in rows(log, VERSIONS)] == [
        ("Custom CNN", "1", "0" * 12, f"{card.metrics.test.scores.auc.value:.4f}"),
        ("Custom CNN", "2", "2" * 12, "-"),
        ("ResNet-18", "1", "0" * 12, f"{card.metrics.test.scores.auc.value:.4f}"),
    ]
