"""Every sentence of the screen by its key, in the language of the request."""

import json
import os
import re
from contextvars import ContextVar
from functools import cache
from html import escape

from pneumo.files import LOCALES

# The language of everybody who uses this server and chose none, such as "en".
VARIABLE = "PNEUMO_LANGUAGE"
COOKIE = re.compile(r"(?:^|;\s*)pneumo-language=(\w+)")

# The language of the request that is being answered; "" outside of one.
requested: ContextVar[str] = ContextVar("requested", default="")


@cache
def catalogues() -> dict[str, dict[str, str]]:
    """Language -> key -> sentence; a further language is one more file."""
    files = sorted(LOCALES.glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}


def language_of(cookie: str, accepted: str) -> str:
    """The language chosen on the page (by its cookie), else the server's, else the browser's."""
    chosen = [*COOKIE.findall(cookie), os.environ.get(VARIABLE, "")]
    wanted = chosen + [tag.strip()[:2].lower() for tag in accepted.split(",")]
    return next((language for language in wanted if language in catalogues()), "en")


def language() -> str:
    """The language in which is being answered."""
    return requested.get() or language_of("", "")


def catalogue() -> dict[str, str]:
    """Key -> sentence in `language`."""
    return catalogues()[language()]


def text(key: str, **values: object) -> str:
    """The sentence of a key, its places in braces filled; KeyError for an unknown key or place."""
    return catalogue()[key].format(**values)


def localized(number: str) -> str:
    """A printed number with the decimal and thousands signs of `language`."""
    return number.translate(str.maketrans(".,", text("language.digits")))


def card_word(english: str) -> str:
    """A card's own words in `language`; English where it has none for them."""
    return catalogue().get(f"card.{english}", english)


def coded(prefix: str, code: str, sentence: str, **values: object) -> str:
    """The catalogue's sentence of an "error" or a "check" by its code, else the package's own."""
    found = catalogue().get(f"{prefix}.{code}")
    return sentence if found is None else found.format(**values)


def filled(page: str) -> str:
    """Gradio's page, markup inside JSON, with its sentence for every [[key]]."""

    def sentence(match: re.Match) -> str:
        found = catalogue().get(match[1])
        return match[0] if found is None else in_json(escape(found))

    return re.sub(r"\[\[([\w.]+)\]\]", sentence, page)


def in_json(words: str) -> str:
    """What stands for these words inside a string of JSON that is inside a page."""
    return json.dumps(words)[1:-1].replace("</", "<\\/")
