"""What is said about a reading: one label, one probability, no figures that do not hold."""

from dataclasses import replace

import numpy as np
import pytest

from pneumo.models.card import Estimate, ExternalResult, read_card
from pneumo.models.checkpoint import available_models
from pneumo.reading.checks import Check
from pneumo.reading.reader import Reading
from pneumo.reading.zones import ZoneShare
from pneumo.ui.results import agreement, judged, result_of
from pneumo.ui.schemas import Choice


@pytest.fixture
def card():
    card = read_card(available_models()[0])
    rate = Estimate(0.77, 0.7, 0.83, 129)
    adults = ExternalResult("Somewhere", "all", "radiologists", 129, 50, 129, rate, rate, rate)
    metrics = replace(card.metrics, external=(adults,))
    return replace(card, metrics=metrics)


def reading_of(card, balanced: float = 0.9, *checks: Check, **fields) -> Reading:
    """A reading of a network that found its evidence in the right lower zone."""
    zones = (ZoneShare("right", "lower", 0.8), ZoneShare("left", "lower", 0.1))
    return Reading(
        "PNG", card.name, card.weights.sha256, "ok", balanced=balanced, prevalence=card.prevalence,
        policy=card.policies["balanced"].policy, decisive=card.threshold, zones=zones,
        evidence=np.ones((4, 4), np.float32), checks=checks, **fields,
    )  # fmt: skip


def words(result) -> str:
    return " ".join([result.says, result.outside, result.where, *sum(result.rows, ())])


def test_one_probability_at_the_prevalence_chosen_and_a_label_that_does_not_follow_it(card):
    high, low = (
        result_of(judged(reading_of(card), card, Choice(prevalence=share)), card)
        for share in (0.9, 0.01)
    )
    assert high.probability > 0.9 > low.probability
    assert high.label == low.label
    assert "1.0 %" in low.at and "training" not in low.at
    own = result_of(judged(reading_of(card), card, Choice()), card)
    assert "training hospital" in own.at


def test_outside_the_population_other_figures_stand_and_no_predictive_values(card):
    inside = words(result_of(reading_of(card), card))
    assert "PPV / NPV" in inside and "Sensitivity" in inside and "outside" not in inside
    adult = Check("population", "warned", "It looks like an adult's.", "adult")
    result = result_of(reading_of(card, 0.9, adult), card)
    assert result.outside
    shown = words(result)
    assert "PPV" not in shown and "0.77 (0.70–0.83)" in shown and "Somewhere" in shown
    unmeasured = replace(card, metrics=replace(card.metrics, external=()))
    assert "not measured" in words(result_of(reading_of(unmeasured, 0.9, adult), unmeasured))

    refused = Check("chest", "failed", "No chest.", "not_chest")
    assert result_of(reading_of(card, 0.9, refused), card).outside


def test_a_taught_network_agrees_weakly(card):
    student = replace(card, training=replace(card.training, teachers=("resnet18 27b7f6b3",)))
    teacher = replace(card, name="resnet18", title="ResNet-18")
    likely = result_of(reading_of(card, 0.999), card)
    code, sentence = agreement([likely, likely], [student, teacher])
    assert code == "agree" and "weak evidence" in sentence
    assert "weak" not in agreement([likely, likely], [card, card])[1]
    unlikely = result_of(reading_of(card, 0.001), card)
    assert agreement([likely, unlikely], [card, card])[0] == "differ"
    assert agreement([replace(likely, label="INDETERMINATE")] * 2, [card, card])[0] == "undecided"
