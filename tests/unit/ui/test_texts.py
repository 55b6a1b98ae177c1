"""Texts: every key that is used exists, every key that exists is used, in every language."""

import json
import re
import string
from dataclasses import replace
from pathlib import Path

import pytest
from jinja2.ext import extract_from_ast

from pneumo.files import LOCALES
from pneumo.models.card import BUNDLED
from pneumo.reading.input_check import load_input_check
from pneumo.reporting import model_card
from pneumo.ui.results import percent, rate
from pneumo.ui.texts import catalogue
from pneumo.ui.web import ASSETS

UI = ASSETS.parent
LANGUAGES = sorted(LOCALES.glob("*.json"))
PATHS = (*UI.rglob("*.py"), *ASSETS.glob("*.js"), *ASSETS.glob("*.html"))
SOURCES = {path: path.read_text(encoding="utf-8") for path in PATHS if path.name != "texts.py"}
# Calls with a literal key, calls with a key that ends in a value, and keys between brackets.
LITERAL = re.compile(r"""\b(?:text|_wrong|t)\(\s*"([a-z][\w.]*\.[\w. ]+)\"""")
TEMPLATE = re.compile(r"""\b(?:text|t)\(\s*f?["`]([a-z][\w.]*\.)\$?\{""")
BRACKETS = re.compile(r"\[\[([\w.]+)\]\]")
VALUE = re.compile(r"%(?!\()|%\(\w+\)s")  # in a sentence of the card
# Keys by the codes of the package.
CODES = ("error.", "check.")


def used(pattern: re.Pattern) -> set[str]:
    return {key for source in SOURCES.values() for key in pattern.findall(source)}


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


class Asked(dict):
    """A catalogue without sentences that keeps the keys it is asked for."""

    def get(self, key, default=None):
        self[key] = ""
        return default


@pytest.fixture
def of_card(monkeypatch) -> set[str]:
    """The keys of all that the model card says, in any branch of its templates and of the bundled
    cards; its English stands there and not in en.json."""
    asked, templates = Asked(), model_card.templates()
    for name in templates.list_templates(["j2"]):
        source, _, _ = templates.loader.get_source(templates, name)
        for _, _, (sentence, *_) in extract_from_ast(templates.parse(source), babel_style=False):
            asked.get(f"card.{' '.join(sentence.split())}")
    cards, check = model_card.read_cards(BUNDLED), load_input_check(BUNDLED).file
    monkeypatch.setattr(model_card, "NOTABLE", -1.0)  # every corruption, seed and kind of image
    seeds = [replace(card.training, seeds=card.training.seeds * 2) for card in cards]
    some = [replace(row, refused=replace(row.refused, value=0.5)) for row in check.refusals]
    cards = [replace(card, training=facts) for card, facts in zip(cards, seeds, strict=True)]
    model_card.body(cards, replace(check, refusals=tuple(some)), asked)
    return asked.keys() - english().keys()


def english() -> dict[str, str]:
    return json.loads((LOCALES / "en.json").read_text(encoding="utf-8"))


def test_every_key_that_is_used_exists():
    assert used(LITERAL) | used(BRACKETS) <= english().keys()
    for prefix in used(TEMPLATE):
        assert any(key.startswith(prefix) for key in english()), prefix


def test_every_key_that_exists_is_used():
    whole = "\n".join(SOURCES.values())
    prefixes = (*used(TEMPLATE), *CODES)
    unused = [
        key
        for key in english()
        if f'"{key}"' not in whole and f"[[{key}]]" not in whole and not key.startswith(prefixes)
    ]
    assert unused == []


def test_every_error_that_is_raised_has_its_sentence_and_no_sentence_is_left_over():
    folder = UI.parent / "imaging"
    source = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    codes = {key.removeprefix("error.") for key in english() if key.startswith("error.")}
    assert set(re.findall(r"""UnreadableImage\(\s*"(\w+)\"""", source)) <= codes
    assert {code for code in codes if f'"{code}"' not in source} == set()


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_every_language_has_the_same_keys_and_places(path: Path, of_card):
    theirs = json.loads(path.read_text(encoding="utf-8"))
    ours = english() | ({} if path.stem == "en" else {key: key for key in of_card})
    assert theirs.keys() == ours.keys()
    for key, sentence in theirs.items():
        named = VALUE.findall if key in of_card else places
        assert set(named(sentence)) == set(named(ours[key])), key


def test_numbers_have_the_decimal_sign_of_the_language(monkeypatch):
    assert (percent(0.9996), rate(0.5)) == ("> 99.9 %", "0.50")
    monkeypatch.setenv("PNEUMO_LANGUAGE", "de")
    assert (percent(0.9996), percent(0.0001, 2), rate(0.5)) == ("> 99,9 %", "0,01 %", "0,50")


@pytest.mark.parametrize("language", ["xx", "../../secret", ""])
def test_an_unknown_language_is_english(monkeypatch, language: str):
    monkeypatch.setenv("PNEUMO_LANGUAGE", language)
    assert catalogue() == english()
