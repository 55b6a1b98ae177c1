"""One parquet file of the mirror -> its films: the bytes as published, a label and a safe name."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pneumo.data.download_remote import HubError

LABELS = ("NORMAL", "PNEUMONIA")
SIGNATURES = {b"\xff\xd8\xff": ".jpeg", b"\x89PNG\r\n\x1a\n": ".png"}
LONGEST_NAME = 120
BATCH = 16  # rows in memory at a time


@dataclass(frozen=True)
class PublishedFilm:
    """A film as the mirror holds it. `label` is NORMAL or PNEUMONIA, `content` an encoded file."""

    label: str
    name: str
    content: bytes


def read_shard(path: Path, called: str) -> Iterator[PublishedFilm]:
    """Reads the films of one parquet file in order.

    Expects what the `datasets` library writes: an image column (a struct with `bytes` and
    `path`, or bare bytes) and a label column (text, or a number named in the schema's metadata).

    Args:
        path: The parquet file.
        called: Its name on the mirror, for error messages.

    Raises:
        HubError: The file is no parquet, or its rows are not labelled pictures.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise HubError(
            "Reading the mirror's files needs pyarrow: run `pip install -r requirements.txt`."
        ) from error
    try:
        with pyarrow.parquet.ParquetFile(path, memory_map=True) as table:
            image, label = _columns(table.schema_arrow, called)
            names = _label_names(table.schema_arrow)
            row = 0
            for batch in table.iter_batches(batch_size=BATCH, columns=[image, label]):
                for record in batch.to_pylist():
                    yield _film(record[image], record[label], names, f"row {row} of {called}")
                    row += 1
    except pyarrow.ArrowException as error:
        raise HubError(
            f"{called} is not a parquet file that can be read, so the mirror has changed or the "
            "download was tampered with. Run the command again, or update Pneumo."
        ) from error


def _columns(schema: Any, called: str) -> tuple[str, str]:
    image = next((name for name in ("image", "img", "picture") if name in schema.names), None)
    label = next((name for name in ("label", "labels") if name in schema.names), None)
    if image is None or label is None:
        raise HubError(
            f"{called} has the columns {', '.join(schema.names) or '(none)'} where an image and a "
            "label are expected: the mirror has changed. Update Pneumo."
        )
    return image, label


def _label_names(schema: Any) -> dict[object, str]:
    """What the numbers in the label column mean; the published order where nothing says so."""
    names = list(LABELS)
    try:
        described = json.loads((schema.metadata or {})[b"huggingface"])
        features = described["info"]["features"]
        names = (features.get("label") or features["labels"])["names"]
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    return dict(enumerate(names))


def _film(image: object, label: object, names: dict[object, str], row: str) -> PublishedFilm:
    content = image.get("bytes") if isinstance(image, dict) else image
    name = image.get("path") if isinstance(image, dict) else None
    suffix = next(
        (end for start, end in SIGNATURES.items() if bytes(content or b"").startswith(start)), None
    )
    if suffix is None:
        raise HubError(f"{row} holds no JPEG or PNG picture: the mirror has changed.")
    label_name = str(names.get(label, label)).strip().upper()
    if label_name not in LABELS:
        raise HubError(
            f"{row} has the label {label!r} where NORMAL or PNEUMONIA is expected: the mirror has "
            "changed."
        )
    return PublishedFilm(label_name, safe_name(name, content, suffix), content)


def safe_name(path: object, content: bytes, suffix: str) -> str:
    """A file name that stays in its folder: letters, digits, dots, dashes and underscores.

    A film without a usable name is called after its content, so that it has the same name in
    every download.

    Args:
        path: What the mirror says the file was called, folders and all; may be None.
        content: The encoded picture.
        suffix: The ending that belongs to the content, used where `path` has none.
    """
    last = re.split(r"[/\\]", path if isinstance(path, str) else "")[-1]
    stem = re.sub(r"[^A-Za-z0-9._-]", "_", last)
    ending = re.search(r"(?i)\.(jpe?g|png)$", stem)
    if ending:
        stem, suffix = stem[: ending.start()], ending[0]
    stem = stem.strip("._")[:LONGEST_NAME]
    # Names that Windows keeps for devices count as none.
    if not stem or re.match(r"(?i)(con|prn|aux|nul|(com|lpt)\d)(\.|$)", stem):
        stem = f"film-{hashlib.sha256(content).hexdigest()[:16]}"
    return stem + suffix
