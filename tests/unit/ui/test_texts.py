"""Texts: every key that is used exists, every key that exists is used, in every language."""

import json
import re
import string
from pathlib import Path

import pytest

from pneumo.imaging.messages import ERRORS, NOTES
from pneumo.reading.checks import SENTENCES
from pneumo.ui.texts import LOCALES, catalogue
from pneumo.ui.web import ASSETS

UI = LOCALES.parent
LANGUAGES = sorted(LOCALES.glob("*.json"))
PATHS = (*UI.rglob("*.py"), *ASSETS.glob("*.js"), *ASSETS.glob("*.html"))
SOURCES = {path: path.read_text(encoding="utf-8") for path in PATHS if path.name != "texts.py"}
# Calls with a literal key, calls with a key that ends in a value, and keys between brackets.
LITERAL = re.compile(r"""\b(?:text|_wrong|t)\(\s*"([a-z][\w.]*\.[\w. ]+)\"""")
TEMPLATE = re.compile(r"""\b(?:text|t)\(\s*f?["`]([a-z][\w.]*\.)\$?\{""")
BRACKETS = re.compile(r"\[\[([\w.]+)\]\]")
# Keys by the codes of the package.
CODES = ("error.", "check.")


def used(pattern: re.Pattern) -> set[str]:
    return {key for source in SOURCES.values() for key in pattern.findall(source)}


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


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


def test_every_code_of_the_package_has_its_sentence():
    checks = SENTENCES | {f"file.{code}": sentence for code, sentence in NOTES.items()}
    for prefix, sentences in (("error.", ERRORS), ("check.", checks)):
        keys = {key for key in english() if key.startswith(prefix)}
        assert keys == {prefix + code for code in sentences}
        for code, sentence in sentences.items():
            assert places(english()[prefix + code]) == places(sentence), code


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_every_language_has_the_same_keys_and_places(path: Path):
    theirs = json.loads(path.read_text(encoding="utf-8"))
    assert theirs.keys() == english().keys()
    for key, sentence in theirs.items():
        assert places(sentence) == places(english()[key]), key


@pytest.mark.parametrize("language", ["xx", "../../secret", ""])
def test_an_unknown_language_is_english(monkeypatch, language: str):
    monkeypatch.setenv("PNEUMO_LANGUAGE", language)
    assert catalogue() == english()
