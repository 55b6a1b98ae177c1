"""The model card tab: every number is the json's, and a card that lacks parts is still shown."""

import copy
import re

import pytest

from pneumo.models.checkpoint import available_models, read_card
from pneumo.ui.model_card import page, results

RATE = {"value": 0.912, "low": 0.88, "high": 0.931}
SCORES = {"n": 624, "positives": 390, "threshold": 0.5, "confusion": {
    "true_positive": 371, "false_negative": 19, "true_negative": 211, "false_positive": 23},
    **dict.fromkeys(("auc", "accuracy", "sensitivity", "specificity", "brier", "ece"), RATE)}


@pytest.fixture
def card(networks) -> dict:
    card = copy.deepcopy(read_card(available_models()[0]))
    bins = [{"low": 0.0, "high": 0.1, "n": 9, "probability": 0.04, "frequency": 0.0},
            {"low": 0.9, "high": 1.0, "n": 30, "probability": 0.97, "frequency": 0.9}]
    card["metrics"] = {"validation": {"clean": SCORES}, "test": SCORES, "test_curve": card["curve"],
                       "test_reliability": bins}
    return card


def test_every_score_of_the_json_stands_there_with_its_interval(card):
    table = results([card])
    assert table.count("0.912 (0.880 to 0.931)") == 12
    assert "624" in table
    shown = page([card])
    for count in SCORES["confusion"].values():
        assert f"<td>{count}</td>" in shown
    assert card["weights"]["sha256"] in shown and shown.count("<svg") == 2


def test_choices_that_knew_a_test_score_are_counted(card):
    card["tried"] = [{"idea": "mixup"}]
    assert "test score of theirs" not in page([card])
    card["tried"] += [{"idea": "longer", "knew_test": True}]
    assert "a test score of theirs was known: 1." in page([card, card])


def test_what_was_measured_beyond_accuracy_stands_there_and_else_nothing(card):
    card.pop("uncertain", None)
    bare = page([card])
    card["metrics"]["lungs"] = {"heat_in_lungs": 0.871, "auc_without_lungs": 0.613}
    card["uncertain"] = {
        "low": 0.311, "high": 0.702, "validation": {"uncertain": 0.093, "certain_accuracy": 0.981},
        "test": {"share": RATE, "certain_accuracy": None},
    }
    rates = {"auc": 0.9, "sensitivity": 0.9, "specificity": 0.933}
    card["metrics"]["shortcut"] = {
        "strata": [{"stratum": "middle third", "n": 174, "auc": RATE, "auc_sharpness": 0.555}],
        "recompressed": {"bytes_per_pixel": 0.08, "before": rates,
                         "after": {**rates, "specificity": 0.919}},
    }
    card["metrics"]["adults"] = {"source": "NIH", "rows": [
        {"view": "AP", "n": 283, **dict.fromkeys(("auc", "sensitivity", "specificity"), RATE)}]}
    shown = page([card])
    for number in ("0.871", "0.613", "0.311 to 0.702", "0.093", "0.981", "middle third", ">174<",
                   "0.555", "0.933 to 0.919", ">283<"):
        assert number in shown, number
    assert shown.count("<h3>") == bare.count("<h3>") + 4


@pytest.mark.parametrize("missing", ["metrics", "training", "data", "curve", "uncertain", "heat"])
def test_a_card_without_a_part_is_shown_without_it(card, missing):
    card.pop(missing, None)
    assert card["weights"]["sha256"] in page([card])


def test_what_a_card_says_cannot_become_markup(card):
    card["architecture"]["title"] = "<img src=x onerror=alert(1)>"
    card["data"] = {"name": "<b>data</b>"}
    shown = page([card])
    assert "<img" not in shown and "<b>" not in shown


def test_no_card_is_a_sentence():
    assert "train" in re.sub("<.*?>", "", page([]))
