"""Makes the synthetic films of one set of examples: candidates, their checks, their captions.

A candidate is a sample of the eigenfilms of its class, sharpened with drawn detail; half of the
pneumonia films are normal samples with an opacity drawn at a known place. A candidate is kept
when it is nobody's film (`distances`) and when every network that is asked reads it rightly.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
from PIL import Image

from pneumo.imaging.anatomy import Anatomy
from pneumo.imaging.phantom import (
    Opacity,
    opacity_map,
    place_opacity,
    stamp,
    to_uint8,
    with_grain,
)
from pneumo.models.preprocess import Preprocessing
from pneumo.models.reader import Reader
from pneumo.training.dataset import CLASSES, films, load_squares
from pneumo.training.distances import RealFilms
from pneumo.training.eigenfilms import EigenFilms, eigenfilms
from pneumo.training.sharpen import fitted_anatomy, sharpened

CASES = "cases.json"
SIZE = 640
LARGEST_BYTES = 250_000
FILMS_PER_CLASS = 1400
# A drawing that agrees less with its sample than this makes a film with two chests in it.
LEAST_AGREEMENT = 0.80


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


@dataclass(frozen=True)
class Slot:
    """What one example is to show: its truth, and the side of a drawn opacity if it has one."""

    truth: str
    number: int
    side: str | None = None

    @property
    def model(self) -> str:
        """Class whose eigenfilms the film is sampled from."""
        return "NORMAL" if self.side else self.truth


def slots(count: int) -> list[Slot]:
    """Half normal, half pneumonia, every other of these with a drawn opacity.

    Raises:
        ExampleError: for an odd count or one below two.
    """
    if count < 2 or count % 2:
        raise ExampleError(f"The count of examples is an even number of at least 2, not {count}.")
    sides = (None, "right", None, "left")
    half = range(1, count // 2 + 1)
    sick = [Slot("PNEUMONIA", n, sides[n % len(sides)]) for n in half]
    return [Slot("NORMAL", n) for n in half] + sick


def class_models(data: str | Path) -> dict[str, EigenFilms]:
    """Eigenfilms of both classes, each of at most `FILMS_PER_CLASS` films spread over `train`.

    Raises:
        DataError: when films are missing or cannot be read.
        ExampleError: when there are too few.
    """
    table = films(data, "train")
    models = {}
    for label, name in enumerate(CLASSES):
        own = [film for film in table if film.label == label]
        spread = np.linspace(0, len(own) - 1, min(len(own), FILMS_PER_CLASS)).round().astype(int)
        squares = load_squares([own[i] for i in spread], Preprocessing())
        try:
            models[name] = eigenfilms(squares)
        except ValueError as error:
            raise ExampleError(f"{name}: {error}") from None
    return models


def make(
    wanted: Sequence[Slot],
    models: dict[str, EigenFilms],
    real: RealFilms,
    readers: Sequence[Reader] = (),
    seed: int = 0,
    tries: int = 12,
    say: Callable[[str], None] = print,
) -> list[Case]:
    """Draws candidates for every slot until one passes.

    Args:
        wanted: what the films are to show.
        models: eigenfilms by class name.
        real: the films none may come near.
        readers: networks that must all read the film rightly.
        seed: of the whole set.
        tries: candidates drawn for one slot at most.
        say: told about every candidate.

    Returns:
        One case a slot, in order.

    Raises:
        ExampleError: when no candidate of a slot passed.
    """
    cases = []
    for position, slot in enumerate(wanted):
        first = seed * 100_000 + position * 1_000
        for candidate in candidates(slot, models, real, range(first, first + tries), say):
            passed = agreeing([candidate], readers)
            if passed:
                cases += passed
                break
            say(f"  {candidate.title}, seed {candidate.seed}: a network disagrees")
        else:
            raise ExampleError(
                f"None of {tries} candidates for {slot.truth} {slot.number} passed. "
                "Allow more --tries, choose another --seed, or fewer --models."
            )
        say(f"{cases[-1].file}: distance {cases[-1].distance:.3f} (at least {real.limit:.3f})")
    return cases


def candidates(
    slot: Slot,
    models: dict[str, EigenFilms],
    real: RealFilms,
    seeds: Sequence[int],
    say: Callable[[str], None] = print,
) -> Iterator[Case]:
    """The films of these seeds that are nobody's and whose drawing agrees with the sample."""
    for seed in seeds:
        rng = np.random.default_rng([0xF11E5, seed])
        model = models[slot.model]
        soft = model.sample(rng)
        # The sample must pass by itself: drawn detail is no way to get away from a real film.
        if real.nearest(soft)[0] < real.limit:
            say(f"  seed {seed}: the sample is too near a real film")
            continue
        child, agreement = fitted_anatomy(soft, rng)
        if agreement < LEAST_AGREEMENT:
            say(f"  seed {seed}: the drawing does not fit ({agreement:.2f})")
            continue
        opacity = place_opacity(child, slot.side, rng) if slot.side else None
        film = finished(soft, child, rng, opacity, seed)
        distance, _ = real.nearest(film)
        if distance < real.limit:
            say(f"  seed {seed}: the film is too near a real film")
            continue
        yield _case(slot, seed, film, child, opacity, distance, real.limit, model.count)


def finished(
    soft: np.ndarray, child: Anatomy, rng: np.random.Generator, opacity: Opacity | None, seed: int
) -> np.ndarray:
    """Sharpens a sample, adds an opacity, grain, the side marker and the burnt-in word.

    Args:
        soft: uint8, square; the sample.
        child: the anatomy fitted to it.
        rng: draws vessels, grain and the marker's place.
        opacity: to be drawn, or None.
        seed: of the opacity's texture.

    Returns:
        uint8, SIZE x SIZE.
    """
    fluid = None if opacity is None else opacity_map(opacity, SIZE, seed)
    film = with_grain(sharpened(soft, child, rng, SIZE, fluid), rng)
    stamp(film, "R", (rng.uniform(0.02, 0.035), rng.uniform(0.14, 0.42)), 0.05)
    stamp(film, "SYNTHETIC", (0.02, 0.04), 0.019)
    return to_uint8(film)


def agreeing(cases: Sequence[Case], readers: Sequence[Reader]) -> list[Case]:
    """Keeps the cases that every reader labels with their truth, and writes its readings down.

    Args:
        cases: films to be read.
        readers: networks; with none, all cases are kept as they are.

    Returns:
        The kept cases with `readings` filled and a caption that says so.
    """
    kept = []
    for case in cases:
        readings = {reader.name: reader.read(case.png) for reader in readers}
        if all(reading.label == case.truth for reading in readings.values()):
            kept.append(_with_readings(case, readings) if readings else case)
    return kept


def _with_readings(case: Case, readings: dict) -> Case:
    noted = {
        name: {
            "label": reading.label,
            "probability": round(reading.probability, 4),
            "weights_sha256": reading.weights_sha256,
        }
        for name, reading in readings.items()
    }
    who = " and ".join(sorted(noted))
    return replace(case, readings=noted, caption=f"{case.caption} Chosen because {who} agree.")


def _case(slot: Slot, seed: int, film, child: Anatomy, opacity, distance, limit, count) -> Case:
    png = encoded(film)
    what = "pneumonia" if slot.truth == "PNEUMONIA" else "normal"
    title = f"Synthetic {what} film {slot.number}"
    source = f"sampled from a statistical model of {count:,} {slot.model.lower()} films"
    caption = f"Synthetic film, no patient: {source}, fine detail drawn."
    place = None
    if opacity is not None:
        depth = (opacity.y - child.apex) / (child.dome_right - child.apex)
        zone = ("upper", "middle", "lower")[int(depth > 0.42) + int(depth > 0.66)]
        caption += f" An opacity was drawn in the {zone} zone of the {opacity.side} lung."
        place = {k: v for k, v in asdict(opacity).items() if k != "strength"}
    return Case(
        file=f"synthetic-{what}-{slot.number}.png",
        title=title,
        truth=slot.truth,
        caption=caption,
        seed=seed,
        opacity=place,
        distance=round(distance, 4),
        distance_limit=round(limit, 4),
        sha256=hashlib.sha256(png).hexdigest(),
        readings={},
        png=png,
    )


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
    """Writes pictures and cases.json; pictures that an earlier cases.json names and this does not
    are removed.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / CASES
    before = {entry["file"] for entry in json.loads(index.read_text())} if index.is_file() else ()
    for name in set(before) - {case.file for case in cases}:
        (folder / Path(name).name).unlink(missing_ok=True)
    for case in cases:
        (folder / case.file).write_bytes(case.png)
    index.write_text(json.dumps([case.record() for case in cases], indent=2) + "\n")
