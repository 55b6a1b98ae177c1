"""Cases: the synthetic radiographs that are shipped, what is said of each, and cases.json."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pneumo.reading.reader import Reader, Reading

CASES = "cases.json"
LARGEST_BYTES = 250_000
# In the file's metadata, so that a picture that leaves the folder still says what it is.
DESCRIPTION = "Synthetic radiograph of no patient, made for teaching by Pneumo."


class ExampleError(RuntimeError):
    """Examples that cannot be made or do not pass; the message says which and what to do."""


@dataclass(frozen=True, eq=False)
class Case:
    """One synthetic radiograph and what is known about it; all but `png` goes into cases.json.

    Attributes:
        file: name of the picture, in the folder of cases.json; like `title` it gives nothing away.
        title, caption: for people; the caption says that it is of no patient, and where an
            opacity was drawn.
        truth: "NORMAL" or "PNEUMONIA".
        seed: of this radiograph; with the same dataset it gives the same bytes.
        opacity: where one was drawn (x, y, radius in fractions of the picture; the patient's
            side), or None.
        distance, distance_limit: to the nearest real radiograph, and the least it had to be.
        sha256: of the picture's bytes.
        readings: network name -> its label, probability and weights' sha256.
        png: the picture, 8-bit grey PNG.
        difficult: chosen because a network is wrong about it or leaves it open.
        synthetic: always True.
    """

    file: str
    title: str
    truth: str
    caption: str
    seed: int
    opacity: dict | None
    distance: float
    distance_limit: float
    sha256: str
    readings: dict
    png: bytes
    difficult: bool = False
    synthetic: bool = True

    def record(self) -> dict:
        """Everything but the picture, as plain json values."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "png"}


def judged(case: Case, readers: Sequence[Reader]) -> tuple[float, Case] | None:
    """How well the networks' readings suit what a radiograph is to show.

    Args:
        case: to be read.
        readers: networks.

    Returns:
        The rank, higher for better: how many networks do as they are to (label it rightly, or
        wrongly or not at all when it is to be difficult), and below one more the least
        probability that any gives the truth; and the case with its `readings`. None when a check
        warns of it, a network labels a usual one wrongly, or every network is right about a
        difficult one.
    """
    readings = {reader.name: reader.predict(case.png) for reader in readers}
    if any(check.outcome != "passed" for one in readings.values() for check in one.checks):
        return None
    if not fits(case.truth, case.difficult, readings):
        return None
    right = sum(one.label == case.truth for one in readings.values())
    fulfilled = len(readings) - right if case.difficult else right
    given = [float(one.probability or 0) for one in readings.values()]
    least = min((p if case.truth == "PNEUMONIA" else 1 - p for p in given), default=0.0)
    return fulfilled + 0.999 * least, replace(case, readings=noted(readings))


def fits(truth: str, difficult: bool, readings: dict[str, Reading]) -> bool:
    """Whether the networks do to an example what it was chosen for."""
    labels = {reading.label for reading in readings.values()}
    if difficult and readings:
        return labels != {truth}
    return labels <= {truth, "INDETERMINATE"}


def noted(readings: dict[str, Reading]) -> dict[str, dict]:
    """What is kept of each network's reading: label, probability and the weights' sha256."""
    return {
        name: {
            "label": reading.label,
            "probability": round(reading.probability or 0.0, 4),
            "weights_sha256": reading.weights_sha256,
        }
        for name, reading in readings.items()
    }


def encoded(pixels: np.ndarray) -> bytes:
    """An 8-bit grey PNG whose metadata say that it is synthetic, and nothing else.

    Raises:
        ExampleError: when it would be larger than `LARGEST_BYTES`.
    """
    stream, info = io.BytesIO(), PngInfo()
    info.add_text("Description", DESCRIPTION)
    Image.fromarray(pixels).save(stream, "PNG", optimize=True, pnginfo=info)
    if stream.tell() > LARGEST_BYTES:
        raise ExampleError(f"A picture takes {stream.tell()} bytes, more than {LARGEST_BYTES}.")
    return stream.getvalue()


def write(cases: Sequence[Case], folder: str | Path) -> None:
    """Writes pictures and cases.json, and removes pictures that only the earlier cases.json named.

    Args:
        cases: what the folder is to hold.
        folder: made when it is missing; other files in it stay.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        before = {entry["file"] for entry in read_cases(folder)}
    except ExampleError:  # No earlier list, or a damaged one: nothing is known to be ours.
        before = set()
    for name in before - {case.file for case in cases}:
        (folder / Path(name).name).unlink(missing_ok=True)
    for case in cases:
        (folder / case.file).write_bytes(case.png)
    write_records([case.record() for case in cases], folder)


def write_records(records: Sequence[dict], folder: str | Path) -> None:
    """Writes cases.json alone."""
    (Path(folder) / CASES).write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")


def read_cases(folder: str | Path) -> list[dict]:
    """The entries of a folder's cases.json.

    Raises:
        ExampleError: when it is missing, damaged or empty.
    """
    try:
        cases = json.loads((Path(folder) / CASES).read_text(encoding="utf-8"))
        if isinstance(cases, list) and cases and all(isinstance(c["file"], str) for c in cases):
            return cases
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise ExampleError(
        f"{Path(folder) / CASES} lists no radiograph. Make them with: "
        "python -m tools.synthetic make --data DIR"
    )
