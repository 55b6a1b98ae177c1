"""Requests of the page: policy and prevalence are checked, and told in a sentence when wrong."""

from typing import ClassVar

import pytest

from pneumo.models.probability import Policy
from pneumo.ui.schemas import Choice, Invalid, parse_choice


class Card:
    """The parts of a card that a choice needs."""

    prevalence = 0.75
    policies: ClassVar[dict] = {}


@pytest.mark.parametrize(
    ("words", "share"),
    [("", None), ("0.1", 0.001), ("99.9", 0.999), (" 74,3 ", 0.743), ("5 %", 0.05), (12, 0.12)],
)
def test_a_prevalence_from_a_thousandth_to_nearly_all_is_taken(words, share):
    found = parse_choice({"prevalence": words}).prevalence
    assert found == (share if share is None else pytest.approx(share))


@pytest.mark.parametrize("words", ["0", "0.09", "99.91", "100", "-3", "nan", "inf", "half", "1e9"])
def test_another_prevalence_is_told(words: str):
    with pytest.raises(Invalid, match=r"0\.1 to 99\.9") as wrong:
        parse_choice({"prevalence": words})
    assert wrong.value.field == "prevalence"


@pytest.mark.parametrize("policy", ["cautious", "balanced", "decisive"])
def test_a_preset_needs_no_thresholds(policy: str):
    assert parse_choice({"policy": policy, "rule_out": "x"}) == Choice(policy)


@pytest.mark.parametrize(
    "fields",
    [
        {"policy": "nobody"}, {"policy": "custom"}, {"policy": "custom", "rule_out": "5"},
        {"policy": "custom", "rule_out": "60", "rule_in": "40"},
        {"policy": "custom", "rule_out": "-1", "rule_in": "40"},
        {"policy": "custom", "rule_out": "1", "rule_in": "101"},
        {"policy": "custom", "rule_out": "nan", "rule_in": "40"},
        {"policy": {"a": 1}}, {"policy": ["custom"]},
    ],
)  # fmt: skip
def test_wrong_thresholds_are_told(fields: dict):
    with pytest.raises(Invalid) as wrong:
        parse_choice(fields)
    assert wrong.value.field == "policy" and str(wrong.value).endswith(".")


def test_custom_thresholds_hold_at_the_prevalence_at_which_they_were_given():
    fields = {"policy": "custom", "rule_out": "20", "rule_in": "80"}
    low = parse_choice({**fields, "at": "50", "prevalence": "50"}).policy_for(Card)
    assert (low.rule_out, low.rule_in) == (0.2, 0.8)
    # Another prevalence shown moves neither threshold of the policy.
    assert parse_choice({**fields, "at": "50", "prevalence": "5"}).policy_for(Card) == low
    # Without words for it, it was that of the training hospital.
    assert parse_choice(fields).policy_for(Card) == Policy.custom(0.2, 0.8, Card.prevalence)
