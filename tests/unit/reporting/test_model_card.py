"""The model card: every measurement stands there, and what was not measured is left out."""

from __future__ import annotations

import copy
import re

import pytest

from pneumo.reading.decision import predictive_values
from pneumo.reporting.card_limits import data_section, failures_section
from pneumo.reporting.card_training import training_sections, version_log
from pneumo.reporting.model_card import network_part, results_note
from tests.unit.reporting.whole_card import whole_card

# Part of a card -> heading of its section.
OPTIONAL = {
    "lungs": "Evidence in the lungs", "shortcut": "Is sharpness a shortcut?",
    "corruptions": "Spoiled films", "adults": "Adults of another hospital",
    "uncertain": "Prediction sets", "seeds": "Seeds", "tried": "What was tried",
}


@pytest.fixture
def card(tmp_path, monkeypatch) -> dict:
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(tmp_path))  # no guard's table
    return whole_card("cnn", "Custom CNN")


def headings(text: str) -> list[str]:
    return re.findall(r"^### (.+)$", text, re.M)


def test_every_part_has_its_section_and_every_table_is_even(card):
    text = network_part(card)
    assert set(OPTIONAL.values()) <= set(headings(text))
    for block in re.findall(r"(?:^\|.*\n)+", text + "\n", re.M):
        assert len({line.count("|") for line in block.splitlines()}) == 1
    for number in ("0.871", "0.613", "0.812 (0.781 to 0.843)", "0.555", "0.931", "0.802", "0.9912",
                   "mixup", "no gain", "0.081", "0.975", "bacteria 0.900 (0.812 to 0.956), n = 80",
                   "1.2%", "0.613 (0.501 to 0.724)", "70% of the picture", "AUC is 0.777",
                   "On all 200 validation films the AUC is then 0.654",
                   "| balanced | PNEUMONIA | 2 | 9 | 107 |",
                   "| operating point | IM (n = 40) | NORMAL2-IM (n = 40) |",
                   "| balanced | 0.975 (0.868 to 0.999) | 0.900 (0.763 to 0.972) |",
                   "NORMAL2-IM 0.881 (0.744 to 0.960), n = 42"):
        assert number in text, number
    assert not re.search(r"None|\bnan\b|[{}]", text)


@pytest.mark.parametrize("part", OPTIONAL)
def test_a_part_that_was_not_measured_is_left_out_and_nothing_else(card, part):
    before = headings(network_part(card))
    card["metrics"].pop(part, None)
    card.pop(part, None)
    assert headings(network_part(card)) == [h for h in before if h != OPTIONAL[part]]


def test_lungs_may_lie_beside_the_metrics(card):
    text = network_part(card)
    card["lungs"] = card["metrics"].pop("lungs")
    assert network_part(card) == text


def test_films_with_found_lung_fields_are_told_of(card):
    assert "were found by a network" not in network_part(card)
    card["training"]["recipe"] |= {"lung_epochs": 3, "hidden": 0.25, "replaced": 0.25}
    card["training"]["lung_fields_found"] = 3712
    assert "in the last 3 epochs, on 3712 more whose fields were found" in network_part(card)


def test_a_choice_that_knew_a_test_score_is_told_under_the_results(card):
    assert "which chose no weights" in results_note([card])
    assert "a test score was known" not in network_part(card)
    card["tried"][0]["knew_test"] = True
    assert "which chose no weights" not in results_note([card])
    assert "One choice between what was tried fell when" in results_note([card, card])
    assert "no gain (a test score was known)" in network_part(card)


def test_weights_that_were_not_scored(card):
    for key in [key for key in card["metrics"] if key.startswith("test")]:
        card["metrics"].pop(key)
    for point in card["operating_points"].values():
        point.pop("test")
    text = network_part(card)
    assert "official test films" not in text and "Predictive values" not in headings(text)


def test_predictive_values_are_those_of_the_test_films(card):
    point = card["operating_points"]["balanced"]["test"]
    values = predictive_values(point["sensitivity"]["value"], point["specificity"]["value"], 0.05)
    text = network_part(card)
    cell = r" (\S+) \((\S+) to (\S+)\) \|"
    (row,) = re.findall(rf"^\| 5% \|{cell}{cell}$", text, re.M)
    assert (row[0], row[3]) == tuple(f"{value:.3f}" for value in values)
    assert row[1] < row[0] < row[2] and row[4] < row[3] < row[5]


def test_no_answer_is_printed_as_certain(card):
    card["operating_points"]["balanced"]["test"] |= {
        "sensitivity": {"value": 0.999, "low": 0.99, "high": 1.0}}
    assert "> 0.999 (" in network_part(card) and "1.000 (" not in network_part(card)


def test_shares_are_counted_not_typed(card):
    test = card["metrics"]["test"]
    share = test["positives"] / test["n"]
    text = data_section([card])
    assert f"77.0% of the 100 train films and {share:.1%} of the 200 test films" in text
    other = copy.deepcopy(card)
    other["data"]["validation"]["kinds"]["normal"] += 100
    assert "38.5% of the 200 train films" in data_section([other])
    other["data"] = {}
    assert "show pneumonia" not in data_section([other])


def test_known_failures_name_the_worst(card):
    text = failures_section([card])
    assert "specificity falls from 0.951 to 0.802" in text and "letterboxed" in text
    assert "sensitivity falls" not in text
    card["metrics"] = {"validation": {}}
    assert failures_section([card]) == ""


def test_promises_that_the_test_films_refute_are_known_failures(card):
    assert "thresholds do not carry over" not in failures_section([card])
    point = card["operating_points"]["high_specificity"]
    point["validation"]["specificity"]["value"] = 0.98
    point["specificity_by_series"] = {"IM": {"value": 1.0}, "NORMAL2-IM": {"value": 0.96}}
    point["test"]["specificity"] = {"value": 0.915, "low": 0.871, "high": 0.947}
    card["uncertain"]["test"]["coverage_normal"] = {"value": 0.8, "low": 0.75, "high": 0.85}
    text = failures_section([card])
    assert "at the operating point high specificity its specificity was 0.960 on validation " \
        "films of the harder series and is 0.915 (0.871 to 0.947) on test films" in text
    assert "of NORMAL test films 0.800 (0.750 to 0.850) get their label or UNCERTAIN" in text
    assert "PNEUMONIA test films" not in text


def test_scorings_of_earlier_weights_are_told_under_the_results(card):
    mine = card["weights"]["sha256"]
    assert "was scored once with these weights." in results_note([card])
    card["test_scorings"] = [{"date": "2026-01-01", "weights": sha, "auc": 0.9}
                             for sha in ("a", "b", "a", mine)]
    told = results_note([card])
    assert "once with these weights and 3 times with 2 earlier or other ones" in told


def test_a_run_in_two_sittings_says_so(card):
    card["training"]["commit"] += "+"
    card["training"]["sittings"] = [
        {"after_epoch": 0, "command": "python train.py --seed 5", "commit": "1" * 40},
        {"after_epoch": 3, "command": "python train.py", "commit": "0" * 40 + "+"}]
    text = network_part(card)
    assert "`python train.py` at commit `000000000000` with changes" in text
    assert "From epoch 1 on it was first run by `python train.py --seed 5` at commit " \
        "`111111111111`." in text


def test_version_log(card):
    card["metrics"].pop("test")
    assert version_log([card]).endswith("- Custom CNN: 1.0, 2026-11-22: first weights")
    card["versions_log"] = ["0.9: trial"]
    assert version_log([card]).endswith("- Custom CNN: 0.9: trial")
    card["metrics"]["test"] = {"auc": {"value": 0.9321}}
    assert version_log([card]).endswith("0.9: trial; official test AUC 0.9321")
    card.pop("versions_log")
    assert version_log([card]) == ""


def test_halves_and_what_was_kept_are_told_of_the_lung_epochs_alone():
    card = whole_card("cnn", "Custom CNN")
    recipe = card["training"]["recipe"]
    recipe.update(lung_epochs=2, hidden=0.25, replaced=0.25, halves=0.3, keep=0.8)
    told = "\n".join(training_sections(card))
    assert "one half replaced by one of a child's film of the other class, with chance 0.3" in told
    assert "where 0.8 of the target is the network's own answer from before them" in told
    recipe["lung_epochs"] = 0
    told = "\n".join(training_sections(card))
    assert "one half" not in told and "own answer" not in told
