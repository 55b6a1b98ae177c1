"""A file of results, one record for each image: JSON lines, CSV or a table, resumable."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from pneumo.commands.output import OutputError, as_utf8, fit_name, printable
from pneumo.files import write_whole

TABLE = (
    "status", "label", "probability", "confidence", "threshold", "model", "path", "reason",
    "warnings",
)  # fmt: skip
_WIDTHS = (8, 13, 11, 10, 9, 9)
# How a file of results begins, in each format.
_BEGINNINGS = (b'{"path": ', b'"path","status",', b"path,status,", b"status    label")


class Records:
    """Writes records as they come; a context manager.

    A file grows under the name ``FILE.partial`` and gets its own name when all is done, so that
    a file called FILE is always complete. When the work was stopped, what there is stays in
    ``FILE.partial``, and `resume` continues it.

    Args:
        form: "jsonl", "csv" or "table".
        output: the file; None for the screen.
        columns: of the CSV, all of them.
        resume: whether to keep the records that an earlier run has written.

    Attributes:
        earlier: the records that were kept, as they stand in the file (of a CSV: as text).

    Raises:
        OutputError: when the file cannot be continued or its place holds something else.
    """

    def __init__(
        self, form: str, output: Path | None, columns: Sequence[str], resume: bool = False
    ) -> None:
        self.form, self.columns = form, columns
        self.output = None if output is None else Path(os.path.realpath(output))
        self.partial: Path | None = None
        self.earlier: list[dict] = []
        self._done: Counter[str] = Counter()
        self._kept = b""
        if self.output is not None and (self.output.is_file() or not self.output.exists()):
            self.partial = partial_of(self.output)
            if self.partial.exists() and not is_records(self.partial):
                raise OutputError(
                    f"{printable(str(self.partial))} is in the way and holds no results. "
                    "Please remove it, or name another --output."
                )
        if resume and self.partial:
            self._keep_earlier()
        self._stream: IO[str] | None = None
        self._written = 0

    def __enter__(self) -> Records:
        if self.output is None:
            self._stream = sys.stdout
            if hasattr(self._stream, "reconfigure"):
                self._stream.reconfigure(errors="backslashreplace")
        else:
            mode = "a" if self._kept else "x" if self.partial else "w"
            if self.partial:
                if self._kept:
                    write_whole(self.partial, self._kept)
                else:
                    self.partial.unlink(missing_ok=True)
            self._stream = (self.partial or self.output).open(
                mode, encoding="utf-8", errors="backslashreplace", newline=""
            )
        if not self._kept:
            self._write(self._header())
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        assert self._stream
        if self.output is None:
            self._stream.flush()
            return
        if kind is None and self.partial:
            self._stream.flush()
            os.fsync(self._stream.fileno())
        try:
            self._stream.close()
        except OSError:
            if kind is None:
                raise
        if kind is None and self.partial:
            self.partial.replace(self.output)
        elif self.partial and not self.earlier and not self._written:
            self.partial.unlink()
        elif self.partial and self.form != "table":
            place = printable(str(self.partial))
            print(f"The results so far are in {place}. Continue with --resume.", file=sys.stderr)

    def has(self, path: str) -> bool:
        """Whether an earlier run has written this image's record; asked once for each image."""
        key = self._key(path)
        self._done[key] -= 1
        return self._done[key] >= 0

    def write(self, record: dict) -> None:
        """Write one record and hand it to the system, so that a killed process keeps it.

        Raises:
            OutputError: when it cannot be written, such as on a full disk.
        """
        if self.form == "jsonl":
            self._write(json.dumps(record) + "\n")
        elif self.form == "csv":
            self._write(self._row([_cell(name, record.get(name)) for name in self.columns]))
        else:
            cells = [record.get(name) for name in TABLE]
            note = cells[7] or cells[8]
            place = printable(str(cells[6])) + (f"  ({note})" if note else "")
            self._write(_line([*cells[:6], place]))
        self._written += 1

    def _write(self, text: str) -> None:
        assert self._stream
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            where = printable(str(self.output)) if self.output else "The output"
            raise OutputError(f"{where} cannot be written: {error.strerror}.") from None

    def _header(self) -> str:
        if self.form == "csv":
            return self._row(list(self.columns))
        return _line([*TABLE[:6], "path"]) if self.form == "table" else ""

    @staticmethod
    def _row(cells: list) -> str:
        # Quoted texts: a name with a semicolon is one cell also where that separates cells.
        stream = io.StringIO()
        csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC).writerow(cells)
        return stream.getvalue()

    def _key(self, path: str) -> str:
        return path if self.form == "jsonl" else str(_cell("path", path))

    def _keep_earlier(self) -> None:
        """Take over an unfinished file, or a complete one, without a last line that was cut off."""
        assert self.output and self.partial
        source = self.partial if self.partial.exists() else self.output
        if not source.exists():
            return
        content = source.read_bytes()
        try:
            length = 0
            for end, record in (_json if self.form == "jsonl" else _csv)(content):
                length = end
                if record:
                    self.earlier.append(record)
            self._done = Counter(record["path"] for record in self.earlier)
        except (ValueError, KeyError, TypeError, csv.Error):
            raise OutputError(
                f"{printable(str(source))} holds no results as {self.form} and cannot be "
                "continued. Please name another --output."
            ) from None
        if self.form == "csv" and self.earlier and set(self.earlier[0]) != set(self.columns):
            raise OutputError(
                f"{printable(str(source))} has other columns. Continue it with the same flags, or "
                "name another --output."
            )
        self._kept = content[:length] if self.earlier else b""


def partial_of(output: Path) -> Path:
    """Where a file of results grows until it is complete."""
    return output.with_name(fit_name(output.name, ".partial"))


def is_records(path: Path) -> bool:
    """Whether a file is empty or begins as one that `Records` wrote."""
    try:
        with path.open("rb") as stream:
            start = stream.read(32)
    except OSError:
        return False
    return not start or start.startswith(_BEGINNINGS)


def plain(value: object) -> object:
    """A cell's value; a text that a spreadsheet would run as a formula gets an apostrophe in front.

    Spreadsheets take =, +, - and @ for the beginning of a formula, also behind blanks and in
    their full-width forms (OWASP, CSV injection). Numbers are left as they are.
    """
    if not isinstance(value, str):
        return value
    # Other writings of the four signs have one of them as their compatibility form.
    first = unicodedata.normalize("NFKC", _BLANKS.sub("", value)[:1])[:1]
    return f"'{value}" if first in tuple("=+-@") or value[:1] in tuple("\t\r") else value


# White space, control characters and marks of no width.
_BLANKS = re.compile(r"^[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+")


def _cell(name: str, value: object) -> object:
    return plain(as_utf8(value) if name == "path" and isinstance(value, str) else value)


def _json(content: bytes) -> Iterator[tuple[int, dict]]:
    """Each complete record, and where it ends."""
    end = 0
    for line in content.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            return
        end += len(line)
        record = json.loads(line)
        if not isinstance(record["path"], str):
            raise TypeError
        yield end, record


def _csv(content: bytes) -> Iterator[tuple[int, dict]]:
    """The header as an empty record, then each complete record, and where it ends."""
    columns: list[str] = []
    taken, whole = 0, True

    def texts() -> Iterator[str]:
        nonlocal taken, whole
        for line in content.splitlines(keepends=True):
            taken, whole = taken + len(line), line.endswith(b"\n")
            yield line.decode("utf-8", "replace")

    rows = csv.reader(texts(), strict=True)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            if taken == len(content):  # cut off within quotes
                return
            raise
        if not columns:
            columns = row
            if whole and columns[:2] != ["path", "status"]:
                raise ValueError
        if not whole or len(row) != len(columns):
            return
        yield taken, {} if row is columns else dict(zip(columns, row, strict=True))


def _line(cells: list) -> str:
    words = ["-" if c is None else f"{c:.3f}" if isinstance(c, float) else str(c) for c in cells]
    padded = [word.ljust(width) for word, width in zip(words, _WIDTHS, strict=False)]
    return "  ".join([*padded, words[-1]]) + "\n"
