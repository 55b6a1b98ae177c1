"""A file of results, one record for each image: JSON lines, CSV or a table, resumable."""

import csv
import io
import json
import os
import re
import shutil
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
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
_BEGINNINGS = {
    "jsonl": (b'{"path": ',),
    "csv": (b'"path","status",', b"path,status,"),
    "table": (b"status    label",),
}
# White space, control characters and marks of no width.
_BLANKS = re.compile(r"^[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+")


class Records:
    """Writes records as they come, as "jsonl", "csv" with these columns or "table", to a file or,
    without one, to the screen; a context manager.

    A file grows as ``FILE.partial`` and gets its own name when all is done. When the work was
    stopped, what there is stays in ``FILE.partial``; `resume` continues it. An OutputError when it
    cannot be continued, or something else lies there.
    """

    def __init__(
        self, form: str, output: Path | None, columns: Sequence[str], resume: bool = False
    ) -> None:
        self.form, self.columns = form, columns
        self.output = None if output is None else Path(os.path.realpath(output))
        self.partial: Path | None = None
        self._source: Path | None = None
        self._kept = 0  # bytes of the source
        if self.output is not None and (self.output.is_file() or not self.output.exists()):
            self.partial = partial_of(self.output)
            if self.partial.exists() and not is_records(self.partial):
                raise OutputError(
                    f"{printable(str(self.partial))} is in the way and holds no results. "
                    "Please remove it, or name another --output."
                )
            source = self.partial if self.partial.exists() else self.output
            if resume and source.exists():
                self._source, self._kept = source, complete(source, form)
        self._done = Counter(record["path"] for record in self.earlier())
        if not self._done:
            self._source, self._kept = None, 0
        self._stream: IO[str] | None = None
        self._written = 0

    def earlier(self) -> Iterator[dict]:
        """The records that an earlier run has written, one by one, as they stand in the file (of a
        CSV: as text), without a last one that was cut off."""
        if self._source is None:
            return
        place = printable(str(self._source))
        records = self._parsed(self._source)
        while True:
            try:
                record = next(records, None)
            except (ValueError, KeyError, TypeError, csv.Error):
                raise OutputError(
                    f"{place} holds no results as {self.form} and cannot be continued. Please "
                    "name another --output."
                ) from None
            if record is None:
                return
            if self.form == "csv" and set(record) != set(self.columns):
                raise OutputError(
                    f"{place} has other columns. Continue it with the same flags, or name another "
                    "--output."
                )
            yield record

    def _parsed(self, source: Path) -> Iterator[dict]:
        if not is_records(source, self.form):
            raise ValueError
        with source.open("rb") as stream:
            lines = (line.decode("utf-8", "replace") for line in _until(stream, self._kept))
            found: Iterable[dict] = (json.loads(line) for line in lines if line.strip())
            if self.form == "csv":
                found = csv.DictReader(lines, strict=True)
            for record in found:
                if not isinstance(record["path"], str):
                    raise TypeError
                yield record

    def __enter__(self) -> "Records":
        if self.output is None:
            self._stream = sys.stdout
            if hasattr(self._stream, "reconfigure"):
                self._stream.reconfigure(errors="backslashreplace")
        else:
            if self.partial and self._source is None:
                write_whole(self.partial, b"")
            elif self.partial and self._source:
                if self._source != self.partial:
                    shutil.copyfile(self._source, self.partial)
                os.truncate(self.partial, self._kept)
            self._stream = (self.partial or self.output).open(
                "a", encoding="utf-8", errors="backslashreplace", newline=""
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
        with suppress(*() if kind is None else (OSError,)):
            self._stream.close()
        if kind is None and self.partial:
            self.partial.replace(self.output)
        elif self.partial and not self._kept and not self._written:
            self.partial.unlink()
        elif self.partial and self.form != "table":
            place = printable(str(self.partial))
            print(f"The results so far are in {place}. Continue with --resume.", file=sys.stderr)

    def has(self, path: str) -> bool:
        """Whether an earlier run has written this image's record; asked once for each image."""
        key = path if self.form == "jsonl" else plain(as_utf8(path))
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
            record = {**record, "path": as_utf8(record["path"])}
            self._write(_row([plain(record.get(name)) for name in self.columns]))
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
            return _row(list(self.columns))
        return _line([*TABLE[:6], "path"]) if self.form == "table" else ""


def partial_of(output: Path) -> Path:
    """Where a file of results grows until it is complete."""
    return output.with_name(fit_name(output.name, ".partial"))


def complete(path: Path, form: str) -> int:
    """Bytes of a file of results up to the end of its last complete record."""
    end, at, quotes = 0, 0, 0
    with path.open("rb") as stream:
        for line in stream:
            at += len(line)
            # Inside the quotes of a CSV a line does not end.
            quotes += line.count(b'"') if form == "csv" else 0
            if line.endswith(b"\n") and quotes % 2 == 0:
                end = at
    return end


def _until(stream: IO[bytes], end: int) -> Iterator[bytes]:
    for line in stream:
        end -= len(line)
        if end < 0:
            return
        yield line


def is_records(path: Path, form: str = "") -> bool:
    """Whether a file is empty or begins as one that `Records` wrote, in any format unless given."""
    try:
        with path.open("rb") as stream:
            start = stream.read(32)
    except OSError:
        return False
    beginnings = _BEGINNINGS[form] if form else sum(_BEGINNINGS.values(), ())
    return not start or start.startswith(beginnings)


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


def _row(cells: list) -> str:
    # Quoted texts: a name with a semicolon is one cell also where that separates cells.
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC).writerow(cells)
    return stream.getvalue()


def _line(cells: list) -> str:
    words = ["-" if c is None else f"{c:.3f}" if isinstance(c, float) else str(c) for c in cells]
    padded = [word.ljust(width) for word, width in zip(words, _WIDTHS, strict=False)]
    return "  ".join([*padded, words[-1]]) + "\n"
