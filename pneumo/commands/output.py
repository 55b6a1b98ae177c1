"""What a command writes: never over a file that it reads, and whole or not at all."""

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

LONGEST_NAME = 255  # bytes, on every file system in common use


class OutputError(ValueError):
    """A result that cannot be written where it was asked for; the message says what to do."""


def refuse_inputs(targets: Iterable[Path], inputs: Iterable[str | Path]) -> None:
    """Raise `OutputError` when a target is one of the inputs, under whatever name.

    Files are compared as the file system knows them, so that a symbolic link, a hard link and
    another spelling on a disk that ignores case are all found.
    """
    written = {identity: one for one in targets if (identity := _identity(one))}
    for path in inputs if written else ():
        if (identity := _identity(path)) in written:
            raise OutputError(
                f"{printable(str(written[identity]))} is one of the files to read and would be "
                "overwritten. Please name another place for the results."
            )


def fit_name(stem: str, ending: str) -> str:
    """Stem and ending as a file name, the stem shortened where it would be too long."""
    while len(os.fsencode(stem + ending)) > LONGEST_NAME:
        stem = stem[:-1]
    return stem + ending


def free_stem(stem: str, taken: set[str], longest_ending: str) -> str:
    """The stem, shortened to fit before its ending, or with -2, -3 ... where it is taken.

    `taken` are `stem_key`s; that of the result is added.
    """
    number, name = 1, fit_name(stem, longest_ending).removesuffix(longest_ending)
    while (key := stem_key(name)) in taken:
        number += 1
        more = f"-{number}"
        name = fit_name(stem, more + longest_ending).removesuffix(longest_ending)
    taken.add(key)
    return name


def stem_key(stem: str) -> str:
    """Alike for names that some disk takes for the same: case and form of accents do not count."""
    return unicodedata.normalize("NFC", stem).casefold()


def printable(text: str) -> str:
    """Text for a terminal: control characters, and bytes of a name that are no UTF-8, escaped."""
    text = as_utf8(text)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def as_utf8(path: str) -> str:
    """A path as text that can be written as UTF-8: bytes that are none become ``\\xNN``.

    A name is bytes; Python decodes them by the locale, which may be none (LANG=C).
    """
    try:
        return os.fsencode(path).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # no path of this system, such as a lone surrogate of other text
        return path.encode("utf-8", "backslashreplace").decode()


def _identity(path: str | Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino
