"""What the guard learns from and is judged on: pictures by kind, each in one of two parts.

A part is "fit" or "held-out"; all pictures of one patient, and all copies of one picture, are in
the same part. Official test films are in neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from pneumo.data import transforms
from pneumo.data.dataset import (
    FIT,
    HELD_OUT,
    DataError,
    halves,
    samples,
    validation_split,
)
from pneumo.evaluation.guard_pictures import DRAWERS, drawn
from pneumo.imaging.phantom import phantom
from pneumo.imaging.radiograph import Radiograph, UnreadableImage, read_radiograph
from pneumo.models.preprocess import Preprocessing

FILMS, ADULTS = "children's films", "adult films"
PHANTOMS, EXAMPLES = "phantoms", "example films"
PICTURES = {".jpeg", ".jpg", ".png", ".bmp", ".tif", ".tiff", ".webp"}
COPIES = Preprocessing(224)
TURNS = {"turned 90": 1, "turned 180": 2, "turned 270": 3}


@dataclass(frozen=True, eq=False)
class Specimen:
    """One picture, as the guard meets it.

    Attributes:
        radiograph: decoded.
        kind: what it shows, such as "adult films" or "photos".
        chest: whether it is a frontal chest radiograph.
        part: "fit" or "held-out".
        group: patient or picture; never in both parts.
        change: "plain" or what was done to it, one of `CHANGES`.
    """

    radiograph: Radiograph
    kind: str
    chest: bool
    part: str
    group: str
    change: str = "plain"


def changed(square: np.ndarray, change: str, rng: np.random.Generator) -> np.ndarray:
    """A picture after one of `CHANGES`.

    Args:
        square: uint8, (S, S).
        change: "plain", "degraded", "turned 90" (or 180, 270, clockwise), "mirrored",
            "upside-down", "cropped" or "varied" (several at once).
        rng: decides what the name leaves open.

    Returns:
        uint8, (S, S).
    """
    return np.ascontiguousarray(CHANGES[change](square, rng))


def _degraded(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    side = len(square)
    square = transforms.expose(square, rng, 0.25)
    if rng.random() < 0.4:  # as a thumbnail that was enlarged
        small = cv2.resize(square, (int(rng.integers(48, 128)),) * 2, interpolation=cv2.INTER_AREA)
        square = cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
    return transforms.degrade(square, rng, 0.4)


def _cropped(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A window of 45 to 65 % of each side, so that a good part of the chest is cut off."""
    side = len(square)
    width, height = (int(side * share) for share in rng.uniform(0.45, 0.65, 2))
    left, top = rng.integers(0, side - width + 1), rng.integers(0, side - height + 1)
    window = square[top : top + height, left : left + width]
    return cv2.resize(window, (side, side), interpolation=cv2.INTER_LINEAR)


def _varied(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    square = np.rot90(square, int(rng.integers(4)))
    square = square[:, ::-1] if rng.random() < 0.5 else square
    square = np.ascontiguousarray(square)
    if rng.random() < 0.5:
        square = _cropped(square, rng)
    square = 255 - square if rng.random() < 0.2 else square
    return _degraded(square, rng)


CHANGES = {
    "plain": lambda square, rng: square,
    "degraded": _degraded,
    **{name: (lambda square, rng, k=k: np.rot90(square, -k)) for name, k in TURNS.items()},  # type: ignore[misc]
    "mirrored": lambda square, rng: square[:, ::-1],
    "upside-down": lambda square, rng: square[::-1],
    "cropped": _cropped,
    "varied": _varied,
}


@dataclass(frozen=True)
class Sources:
    """Where the pictures lie and how many are used.

    Attributes:
        data: dataset folder with train/NORMAL and train/PNEUMONIA.
        not_chest: folder with one sub-folder for each kind of picture that is no chest film.
        adults: folder of frontal chest films of adults named PATIENT_NUMBER, or None.
        films: how many of the network's training films are used; its validation films all are.
        drawn: pictures of each kind of `DRAWERS`, in each part.
        examples: folder of the example films, which are held out, or None.
        folds, fold, split_seed: the validation split that the network was trained with.
    """

    data: Path
    not_chest: Path
    adults: Path | None = None
    films: int = 300
    drawn: int = 40
    examples: Path | None = None
    folds: int = 10
    fold: int = 0
    split_seed: int = 0


def specimens(sources: Sources, part: str, seed: int = 0) -> Iterator[Specimen]:
    """Every picture of a part with its changed copies, one after the other.

    Copies are made at one size for all networks: at that of a network that reads small films,
    each would be warned of for its size as well.

    Raises:
        DataError: when a folder is missing, empty or holds a picture that cannot be read.
    """
    for index, plain in enumerate(originals(sources)):
        if plain.part != part:
            continue
        rng = transforms.generator(seed, 0x64A7D, index)
        yield plain
        square = COPIES.square(plain.radiograph.pixels)
        for change in _copies(plain, index):
            pixels = changed(square, change, rng)
            yield replace(plain, radiograph=Radiograph(pixels, "copy", ()), change=change)


def _copies(plain: Specimen, index: int) -> tuple[str, ...]:
    """Which changed copies a picture is used in, besides itself."""
    if plain.kind in (PHANTOMS, EXAMPLES) or plain.kind in DRAWERS:
        return ()
    if not plain.chest:
        return ("varied",) * 2 if plain.part == FIT else ()
    if plain.part == HELD_OUT:
        every = tuple(name for name in CHANGES if name not in ("plain", "varied"))
        return every if index % 8 == 0 else ()
    others = (
        "degraded",
        "turned 90",
        "cropped",
        "degraded",
        "turned 180",
        "mirrored",
        "degraded",
        "turned 270",
        "upside-down",
    )
    return (others[index % len(others)],)


def originals(sources: Sources) -> Iterator[Specimen]:
    """Every picture of both parts as it is."""
    table = samples(sources.data, "train")
    train, validation = validation_split(table, sources.split_seed, sources.folds, sources.fold)
    rng = np.random.default_rng(0)
    chosen = sorted(rng.permutation(len(train))[: sources.films])
    patients = sorted({film.group for film in validation})
    apart = {group: (FIT, HELD_OUT)[i % 2] for i, group in enumerate(patients)}
    for film in [train[i] for i in chosen]:
        yield Specimen(_read(film.path), FILMS, True, FIT, film.group)
    for film in validation:
        yield Specimen(_read(film.path), FILMS, True, apart[film.group], film.group)
    if sources.adults is not None:
        yield from _folder(sources.adults, ADULTS, chest=True)
    for kind in _sub_folders(sources.not_chest):
        yield from _folder(kind, kind.name.replace("_", " "), chest=False)
    if sources.examples is not None and any(Path(sources.examples).glob("*.png")):
        for path in pictures_in(sources.examples):
            yield Specimen(_read(path), EXAMPLES, True, HELD_OUT, path.stem)
    for part, first in ((FIT, 0), (HELD_OUT, 100_000)):
        for seed in range(first, first + sources.drawn):
            side = (None, "right", "left")[seed % 3]
            film = phantom(seed, 256, side)[0]
            yield Specimen(Radiograph(film, "drawn"), PHANTOMS, True, part, f"phantom {seed}")
            for drawer in DRAWERS:
                picture = Radiograph(drawn(drawer, seed), "drawn")
                yield Specimen(picture, drawer, False, part, f"{drawer} {seed}")


def pictures_in(folder: Path) -> list[Path]:
    """The picture files of a folder, by name.

    Raises:
        DataError: when there is none.
    """
    found = (
        sorted(
            p
            for p in Path(folder).glob("*")
            if p.suffix.lower() in PICTURES and not p.name.startswith(".")
        )
        if Path(folder).is_dir()
        else []
    )
    if not found:
        raise DataError(f"{folder} is no folder with pictures. Please name one that holds some.")
    return found


def _folder(folder: Path, kind: str, *, chest: bool) -> Iterator[Specimen]:
    for path, part in halves(pictures_in(folder)).items():
        yield Specimen(_read(path), kind, chest, part, f"{kind} {path.stem.split('_')[0]}")


def _sub_folders(folder: Path) -> list[Path]:
    found = sorted(p for p in Path(folder).glob("*") if p.is_dir() and not p.name.startswith("."))
    if not found:
        raise DataError(
            f"{folder} holds no sub-folder. It needs one for each kind of picture that is no "
            "frontal chest film, such as photos/ and hands/."
        )
    return found


def _read(path: Path) -> Radiograph:
    try:
        return read_radiograph(path)
    except UnreadableImage as error:
        raise DataError(f"{path}: {error.sentence} Remove or replace it.") from None
