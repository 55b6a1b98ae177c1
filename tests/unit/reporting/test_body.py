"""What is said of the networks comes from the cards, and what was not measured is left out."""

from dataclasses import replace
from itertools import groupby

from pneumo.models.card import Metrics
from pneumo.reporting.model_card import body
from pneumo.reporting.numbers import number, percent
from tests.cards import made_up_check, whole_card


def titles(text: str) -> list[str]:
    """The headings of the sections."""
    return [line[3:] for line in text.splitlines() if line.startswith("## ")]


def test_every_table_is_rectangular_and_every_title_unique():
    text = body([whole_card(), whole_card(name="resnet18", title="ResNet-18")], made_up_check())
    tables = [list(g) for bar, g in groupby(text.splitlines(), lambda s: s[:1] == "|") if bar]
    assert len(tables) >= 5
    for table in tables:
        assert len({line.count("|") for line in table}) == 1 and table[1].startswith("|---|")
    assert len(set(titles(text))) == len(titles(text))


def test_numbers_are_those_of_the_card():
    card = whole_card()
    text = body([card])
    assert f"|Custom CNN|{number(card.metrics.test.scores.auc)}|" in text
    assert (
        f"{card.metrics.test.scores.n} radiographs" in text
        and "bacteria" in text
        and "NORMAL2-IM" in text
    )
    assert "not been scored" in body([whole_card(test=False)])
    cells = next(line for line in text.splitlines() if "balanced|" in line).split("|")[1:]
    measured = card.policies["balanced"].test
    assert cells[3] == percent(measured.sensitivity)
    assert cells[7] == percent(measured.indeterminate)


def test_what_was_not_measured_is_left_out():
    found = set(titles(body([replace(whole_card(), metrics=Metrics())])))
    assert not found & {"Shortcut analysis", "Known failures", "External evaluation: adults"}
    assert {"Intended use", "Results", "Training", "Data"} <= found
    assert len(titles(body([]))) == 2
