"""What is said of the networks comes from the cards, and what was not measured is left out."""

from dataclasses import replace
from itertools import groupby

from pneumo.models.card import Estimate, Metrics
from pneumo.reporting.model_card import body
from pneumo.reporting.numbers import number, percent
from tests.cards import made_up_check, whole_card
from tests.unit.reporting.full_card import full_card


def titles(text: str) -> list[str]:
    """The headings of the sections."""
    return [line[3:] for line in text.splitlines() if line.startswith("## ")]


def test_every_table_is_rectangular_and_every_title_unique():
    text = body([full_card(), full_card(name="resnet18", title="ResNet-18")], made_up_check())
    tables = [list(g) for bar, g in groupby(text.splitlines(), lambda s: s[:1] == "|") if bar]
    assert len(tables) >= 5
    for table in tables:
        assert len({line.count("|") for line in table}) == 1 and table[1].startswith("|---|")
    assert len(set(titles(text))) == len(titles(text)) == 12


def test_numbers_are_those_of_the_card():
    card = full_card()
    text = body([card])
    assert f"|Custom CNN|{number(card.metrics.test.scores.auc)}|" in text
    assert "200 radiographs" in text and "bacteria" in text and "NORMAL2-IM" in text
    assert "not been scored" in body([full_card(test=False)])
    cells = next(line for line in text.splitlines() if "balanced|" in line).split("|")[1:]
    measured = card.policies["balanced"].test
    assert cells[3] == percent(measured.sensitivity)
    assert cells[7] == percent(measured.indeterminate)


def test_an_unreliable_map_and_costly_corruptions_are_told_and_others_not():
    sound, blind = body([full_card()]), body([full_card(reliable=False)])
    assert "does not tell" in blind and "does not tell" not in sound
    assert "|blur|" in sound and "|noise|" not in sound


def test_what_the_input_check_refuses_stands_with_the_kinds_it_was_not_fitted_on():
    text = body([], made_up_check())
    assert "|children|1.0 %|" in text and "all refused of 1 kinds" in text


def test_a_broken_promise_is_a_known_failure():
    card = full_card()
    worse = replace(card.policies["decisive"].test, specificity=Estimate(0.5, 0.4, 0.6, 100))
    policies = {**card.policies, "decisive": replace(card.policies["decisive"], test=worse)}
    limits = body([replace(card, policies=policies)]).partition("## Known failures")[2]
    assert "decisive" in limits and "then 0.500" in limits


def test_what_was_not_measured_is_left_out():
    found = set(titles(body([replace(whole_card(), metrics=Metrics())])))
    assert not found & {"Shortcut analysis", "Known failures", "External evaluation: adults"}
    assert {"Intended use", "Results", "Training", "Data"} <= found
    assert len(titles(body([]))) == 2
