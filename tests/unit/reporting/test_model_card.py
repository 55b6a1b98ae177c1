"""MODEL_CARD.md, the README's table and the figures: short, from the cards, readable by the Hub,
without what was not measured."""

from dataclasses import replace
from itertools import groupby

import cv2
import pytest
import yaml
from huggingface_hub import ModelCard

from pneumo.models.card import BUNDLED, Metrics
from pneumo.reading.input_check import load_input_check
from pneumo.reporting.figures import FIGURES, draw
from pneumo.reporting.model_card import (
    BEGIN,
    END,
    body,
    hub_metadata,
    model_card,
    read_cards,
    with_results,
)
from pneumo.reporting.numbers import number, percent
from tests.cards import made_up_check, whole_card

CARDS = [whole_card(), whole_card(name="resnet18", title="ResNet-18")]


def test_the_hub_reads_its_metadata_with_an_index_of_every_network():
    data = ModelCard(model_card(CARDS)).data.to_dict()
    assert data["license"] == "mit" and data["datasets"]
    index = yaml.safe_load(model_card(CARDS).split("---\n")[1])["model-index"]
    assert [entry["name"] for entry in index] == ["Custom CNN", "ResNet-18"]
    (result,) = index[0]["results"]
    assert result["dataset"]["split"] == "test"
    values = {one["type"]: one["value"] for one in result["metrics"]}
    scores = CARDS[0].metrics.test.scores
    assert values["roc_auc"] == pytest.approx(scores.auc.value, abs=1e-4)
    assert values["accuracy"] == pytest.approx(scores.accuracy.value, abs=1e-4)
    assert "model-index" not in hub_metadata([whole_card(test=False)]).to_dict()


def test_only_the_results_of_a_readme_change():
    readme = f"# Pneumo\n\n{BEGIN}\nstale\n{END}\n\nThe rest.\n"
    fresh = with_results(readme, CARDS)
    assert fresh.startswith("# Pneumo\n") and fresh.endswith("The rest.\n")
    assert "stale" not in fresh and "ResNet-18" in fresh
    assert with_results(fresh, CARDS) == fresh
    with pytest.raises(ValueError, match="README"):
        with_results("# Pneumo\n", CARDS)


def test_the_committed_ones_are_fresh():
    cards = read_cards(BUNDLED)
    committed = (BUNDLED / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert committed == model_card(cards, load_input_check(BUNDLED).file)
    text = committed.split("\n---\n", 1)[1]
    assert len(text.replace("|", " ").split()) <= 1500
    readme = (BUNDLED.parent / "README.md").read_text(encoding="utf-8")
    assert with_results(readme, cards) == readme


def titles(text: str) -> list[str]:
    """The headings of the sections."""
    return [line[3:] for line in text.splitlines() if line.startswith("## ")]


def test_every_table_is_rectangular_and_every_title_unique():
    text = body(CARDS, made_up_check())
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


def test_every_figure_is_drawn_and_shows_something(tmp_path):
    assert draw([], tmp_path) == []
    files = draw(CARDS, tmp_path, ".png")
    assert {file.stem for file in files} == set(FIGURES)
    for file in files:
        picture = cv2.imread(str(file))
        assert min(picture.shape[:2]) > 300 and picture.std() > 10
