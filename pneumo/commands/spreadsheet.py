"""Texts for a CSV that a spreadsheet shows and never runs."""

from __future__ import annotations

import re

# What spreadsheets take for the beginning of a formula, also behind blanks (OWASP, CSV injection).
_FORMULA = re.compile(r"[\s\ufeff]*[=+\-@]|[\t\r]")


def plain(value: object) -> object:
    """A cell's value; a text that would be run as a formula gets an apostrophe in front.

    A film called ``=HYPERLINK(...).png`` would otherwise act when the table is opened. The page
    does the same in assets/table.js. Numbers are left as they are.
    """
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
