"""Requests of the page: policy and prevalence are checked, and told in a sentence when wrong."""

import pytest

from pneumo.models.probability import Policy
from pneumo.ui.schemas import Invalid, parse_choice
from tests.cards import whole_card


@pytest.mark.parametrize(
    ("words", "share"),
    [("", None), ("0.1", 0.001), ("99.9", 0.999), (" 74,3 ", 0.743), ("5 %", 0.05), (12, 0.12)],
)
def test_a_prevalence_from_a_thousandth_to_nearly_all_is_taken(words, share):
    found = parse_choice({"prevalence": words, "policy": "cautious", "rule_out": "x"}).prevalence
    assert found == (share if share is None else pytest.approx(share))


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        *(("prevalence", {"prevalence": p}) for p in ("0.09", "99.91", "-3", "nan", "half", "1e9")),
        *(
            ("policy", {"policy": "custom", "rule_out": low, "rule_in": high})
            for low, high in (("5", ""), ("60", "40"), ("-1", "40"), ("1", "101"), ("nan", "40"))
        ),
        ("policy", {"policy": "nobody"}),
        ("policy", {"policy": {"a": 1}}),
    ],
)
def test_a_wrong_number_is_told_with_its_field(field: str, fields: dict):
    with pytest.raises(Invalid) as wrong:
        parse_choice(fields)
    assert wrong.value.field == field and str(wrong.value).endswith(".")


def test_custom_thresholds_hold_at_the_prevalence_at_which_they_were_given():
    card, fields = whole_card(), {"policy": "custom", "rule_out": "20", "rule_in": "80"}
    low = parse_choice({**fields, "at": "50", "prevalence": "50"}).policy_for(card)
    assert (low.rule_out, low.rule_in) == (0.2, 0.8)
    # Another prevalence shown moves neither threshold of the policy.
    assert parse_choice({**fields, "at": "50", "prevalence": "5"}).policy_for(card) == low
    # Without words for it, it was that of the training hospital.
    assert parse_choice(fields).policy_for(card) == Policy.custom(0.2, 0.8, card.prevalence)
