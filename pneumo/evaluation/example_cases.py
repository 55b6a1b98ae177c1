"""Cases: the synthetic films that are shipped, what is said about each, and cases.json.

A case is kept only when no network that is asked calls it what it is not.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from PIL import Image

from pneumo.reading.reader import Reader, Reading

CASES = "cases.json"
LARGEST_BYTES = 250_000
CHOSEN = " Chosen because "


class ExampleError(RuntimeError):
    """Examples that cannot be made or do not pass; the message says which and what to do."""


@dataclass(frozen=True, eq=False)
class Case:
    """One synthetic film and what is known about it; all but `png` goes into cases.json.

    Attributes:
        file: name of the picture, in the folder of cases.json.
        title, caption: for people; the caption says that the film is of no patient.
        truth: "NORMAL" or "PNEUMONIA".
        synthetic: always True.
        seed: of this film; with the same dataset it gives the same bytes.
        opacity: where one was drawn (x, y, radius in fractions of the picture; the patient's
            side), or None.
        distance, distance_limit: to the nearest real film, and the least it had to be.
        sha256: of the picture's bytes.
        readings: network name -> its label, probability and weights' sha256.
        png: the picture, 8-bit grey PNG.
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
    synthetic: bool = True

    def record(self) -> dict:
        """Everything but the picture, as plain json values."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "png"}


def judged(case: Case, readers: Sequence[Reader]) -> tuple[int, float, Case] | None:
    """How well the networks agree with a film's truth.

    Args:
        case: a film to be read.
        readers: networks.

    Returns:
        how many are certain of the truth, the least probability that any gives it (1 without
        networks), and the case with their `readings` and a caption that says so; or None when a
        network calls it what it is not.
    """
    readings = {reader.name: reader.read(case.png) for reader in readers}
    if any(reading.label not in (case.truth, "UNCERTAIN") for reading in readings.values()):
        return None
    if not readings:
        return 0, 1.0, case
    sure = sorted(name for name, reading in readings.items() if reading.label == case.truth)
    ill = [reading.probability for reading in readings.values()]
    least = min(ill) if case.truth == "PNEUMONIA" else 1 - max(ill)
    return len(sure), least, replace(
        case, readings=noted(readings), caption=case.caption + agreement(sure))


def agreement(sure: Sequence[str]) -> str:
    """What a caption ends in, by the names of the networks that are certain of the film's truth."""
    verb = "agrees" if len(sure) == 1 else "agree"
    return f"{CHOSEN}{' and '.join(sure)} {verb}." if sure else ""


def noted(readings: dict[str, Reading]) -> dict[str, dict]:
    """What is kept of each network's reading: label, probability and the weights' sha256."""
    return {
        name: {
            "label": reading.label,
            "probability": round(reading.probability, 4),
            "weights_sha256": reading.weights_sha256,
        }
        for name, reading in readings.items()
    }


def encoded(film: np.ndarray) -> bytes:
    """An 8-bit grey PNG without metadata.

    Raises:
        ExampleError: when it would be larger than `LARGEST_BYTES`.
    """
    stream = io.BytesIO()
    Image.fromarray(film).save(stream, "PNG", optimize=True)
    if stream.tell() > LARGEST_BYTES:
        raise ExampleError(f"A film takes {stream.tell()} bytes, more than {LARGEST_BYTES}.")
    return stream.getvalue()


def write(cases: Sequence[Case], folder: str | Path) -> None:
    """Writes pictures and cases.json, and removes pictures that only the earlier cases.json named.

    Args:
        cases: what the folder is to hold.
        folder: made when it is missing; other files in it stay.

    Raises:
        OSError: when the folder cannot be written.
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
    (Path(folder) / CASES).write_text(json.dumps(records, indent=2) + "\n")


def read_cases(folder: str | Path) -> list[dict]:
    """The entries of a folder's cases.json.

    Raises:
        ExampleError: when it is missing, damaged or empty.
    """
    try:
        cases = json.loads((Path(folder) / CASES).read_text())
        if isinstance(cases, list) and cases and all(isinstance(c["file"], str) for c in cases):
            return cases
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise ExampleError(
        f"{Path(folder) / CASES} does not list any film. Make the films with: "
        "python -m pneumo examples make --data DIR"
    )
