"""Recipes: the bundled ones load, and a wrong value ends in a sentence."""

from __future__ import annotations

import pytest

from pneumo.models.networks import network_names
from pneumo.training.recipe import RecipeError, load_recipe


@pytest.mark.parametrize("name", network_names())
def test_every_network_has_a_recipe(name):
    assert load_recipe(name).model == name


def test_values_can_be_set():
    recipe = load_recipe("cnn", {"epochs": "3", "learning_rate": "1e-3", "frozen": "[block1]"})
    assert (recipe.epochs, recipe.learning_rate, recipe.frozen) == (3, 1e-3, ("block1",))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"speed": "3"}, "no value 'speed'"),
        ({"epochs": "many"}, "epochs takes"),
        ({"epochs": "2.5"}, "whole number"),
        ({"composite_p": "1.5"}, "from 0 to 1"),
        ({"composite_p": "0.9", "opacity_p": "0.9"}, "more than 1"),
    ],
)
def test_a_wrong_value_is_named(change, words):
    with pytest.raises(RecipeError, match=words):
        load_recipe("cnn", change)


def test_a_network_without_a_recipe_is_named():
    with pytest.raises(RecipeError, match="densenet"):
        load_recipe("densenet")
