"""What is said of the networks comes from the cards, and what was not measured is left out."""

from dataclasses import replace

from pneumo.models.card import Metrics
from pneumo.reporting.sections import Bullets, Table, number, percent, results, sections
from tests.cards import made_up_check, whole_card
from tests.unit.reporting.full_card import full_card


def words(found) -> str:
    """All text of some sections."""
    parts = []
    for section in found:
        for block in section.blocks:
            if isinstance(block, Table):
                parts += [cell for row in (block.head, *block.rows) for cell in row]
            else:
                parts += block.items if isinstance(block, Bullets) else [block]
    return "\n".join(parts)


def test_every_table_is_rectangular_and_every_title_unique():
    cards = [full_card(), full_card(name="resnet18", title="ResNet-18")]
    found = sections(cards, made_up_check())
    tables = [block for one in found for block in one.blocks if isinstance(block, Table)]
    assert len(tables) >= 5
    for table in tables:
        assert {len(row) for row in table.rows} == {len(table.head)}
    assert len({one.title for one in found}) == len(found) == 12


def test_numbers_are_those_of_the_card():
    card = full_card()
    table, note, kinds = results([card]).blocks
    assert table.rows[0][:2] == ["Custom CNN", number(card.metrics.test.scores.auc)]
    assert "200 radiographs" in note and "bacteria" in kinds and "NORMAL2-IM" in kinds
    assert "not been scored" in words([results([full_card(test=False)])])
    (decision,) = (one for one in sections([card]) if one.title.startswith("Decision"))
    rows = next(block for block in decision.blocks if isinstance(block, Table)).rows
    balanced = next(row for row in rows if row[0].endswith("balanced"))
    measured = card.policies["balanced"].test
    assert balanced[3] == percent(measured.sensitivity)
    assert balanced[7] == percent(measured.indeterminate)


def test_what_the_input_check_refuses_stands_with_the_kinds_it_was_not_fitted_on():
    (found,) = (one for one in sections([], made_up_check()) if one.title == "Input check")
    table = next(block for block in found.blocks if isinstance(block, Table))
    assert table.rows == [["children", "1.0 %"]]
    assert "all refused of 1 kinds" in words([found])


def test_what_was_not_measured_is_left_out():
    card = replace(whole_card(), metrics=Metrics())
    titles = {one.title for one in sections([card])}
    assert not titles & {"Shortcut analysis", "Known failures", "External evaluation: adults"}
    assert {"Intended use", "Results", "Training", "Data"} <= titles
    assert len(sections([])) == 2
