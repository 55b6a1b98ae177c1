"""One parquet file of the mirror: the images as published, each with a label and a safe name."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow.parquet import ParquetFile

LABELS = ("NORMAL", "PNEUMONIA")
_ENDINGS = {b"\xff\xd8\xff": ".jpeg", b"\x89PNG\r\n\x1a\n": ".png"}
_LONGEST_NAME = 120
_ROWS = 16  # in memory at a time


class ParquetError(ValueError):
    """A file that does not hold labelled images; the message says what it holds."""


@dataclass(frozen=True)
class PublishedImage:
    """An image as the mirror holds it: NORMAL or PNEUMONIA, a file name, an encoded file."""

    label: str
    name: str
    content: bytes


def read_images(path: Path, called: str) -> Iterator[PublishedImage]:
    """Read the images of one parquet file in order.

    Expects what the `datasets` library writes: an image column (a struct with `bytes` and
    `path`, or bare bytes) and a label column (text, or a number named in the schema's metadata).

    Args:
        path: the parquet file.
        called: its name on the mirror, for error messages.

    Raises:
        ParquetError: the file is no parquet, or its rows are not labelled images.
    """
    try:
        with ParquetFile(path) as table:
            image, label = _columns(table.schema_arrow, called)
            names = _label_names(table.schema_arrow)
            row = 0
            for batch in table.iter_batches(batch_size=_ROWS, columns=[image, label]):
                for record in batch.to_pylist():
                    yield _image(record[image], record[label], names, f"Row {row} of {called}")
                    row += 1
    except pyarrow.ArrowException as error:
        raise ParquetError(f"{called} is not a parquet file.") from error


def _columns(schema: Any, called: str) -> tuple[str, str]:
    image = next((name for name in ("image", "img", "picture") if name in schema.names), None)
    label = next((name for name in ("label", "labels") if name in schema.names), None)
    if image is None or label is None:
        raise ParquetError(f"{called} has no columns of images and labels.")
    return image, label


def _label_names(schema: Any) -> dict[object, str]:
    """What the numbers in the label column mean; the published order where nothing says so."""
    names = list(LABELS)
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        names = (features.get("label") or features["labels"])["names"]
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    return dict(enumerate(names))


def _image(image: Any, label: object, names: dict[object, str], row: str) -> PublishedImage:
    name = image.get("path") if isinstance(image, dict) else None
    content = bytes((image.get("bytes") if isinstance(image, dict) else image) or b"")
    ending = next((end for start, end in _ENDINGS.items() if content.startswith(start)), None)
    if ending is None:
        raise ParquetError(f"{row} holds no JPEG or PNG image.")
    label_name = str(names.get(label, label)).strip().upper()
    if label_name not in LABELS:
        raise ParquetError(f"{row} has the label {label!r}, not NORMAL or PNEUMONIA.")
    return PublishedImage(label_name, safe_name(name, content, ending), content)


def safe_name(path: object, content: bytes, ending: str) -> str:
    """A file name that stays in its folder: letters, digits, dots, dashes and underscores.

    Args:
        path: what the mirror says the file was called, folders and all; may be None.
        content: the encoded image; one without a usable name is called after it.
        ending: that belongs to the content, used where `path` has none.
    """
    last = re.split(r"[/\\]", path if isinstance(path, str) else "")[-1]
    stem = re.sub(r"[^A-Za-z0-9._-]", "_", last)
    if found := re.search(r"(?i)\.(jpe?g|png)$", stem):
        stem, ending = stem[: found.start()], found[0]
    stem = stem.strip("._")[:_LONGEST_NAME]
    # Names that Windows keeps for devices count as none.
    if not stem or re.match(r"(?i)(con|prn|aux|nul|(com|lpt)\d)(\.|$)", stem):
        stem = f"image-{hashlib.sha256(content).hexdigest()[:16]}"
    return stem + ending
