"""Every sentence of the screen by its key, from locales/LANGUAGE.json."""

import json
import os
import re
from functools import cache
from html import escape
from pathlib import Path

LOCALES = Path(__file__).parent / "locales"
# The language of everybody who uses this server, such as "en"; a further one is one more file.
VARIABLE = "PNEUMO_LANGUAGE"


@cache
def catalogue() -> dict[str, str]:
    """Key -> sentence, in the language that `VARIABLE` names, English unless there is a file."""
    path = LOCALES / f"{os.environ.get(VARIABLE, 'en')}.json"
    if path.parent != LOCALES or not path.is_file():
        path = LOCALES / "en.json"
    return json.loads(path.read_text(encoding="utf-8"))


def text(key: str, **values: object) -> str:
    """The sentence of a key, its places in braces filled; KeyError for an unknown key or place."""
    return catalogue()[key].format(**values)


def coded(prefix: str, code: str, sentence: str, **values: object) -> str:
    """The catalogue's sentence of an "error" or a "check" by its code, else the package's own."""
    found = catalogue().get(f"{prefix}.{code}")
    return sentence if found is None else found.format(**values)


def filled(template: str) -> str:
    """A template of markup with every [[key]] replaced by its sentence, escaped for html."""
    return re.sub(r"\[\[([\w.]+)\]\]", lambda match: escape(catalogue()[match[1]]), template)
