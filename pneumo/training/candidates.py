"""Draws candidates for synthetic films until each example has one that passes.

A candidate is a sample of the eigenfilms of its class, sharpened with drawn detail; half of the
pneumonia films are normal samples with an opacity drawn at a known place. A candidate may be kept
when it is nobody's film (`distances`) and no network that is asked calls it what it is not; the
first of which all are certain is taken, or the one of which most are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from pneumo.data.dataset import CLASSES, films, load_squares
from pneumo.evaluation.distances import RealFilms
from pneumo.evaluation.eigenfilms import EigenFilms, eigenfilms
from pneumo.evaluation.example_cases import Case, ExampleError, encoded, judged
from pneumo.evaluation.sharpen import fitted_anatomy, sharpened
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
from pneumo.reading.reader import Reader

SIZE = 640
FILMS_PER_CLASS = 1400
# A drawing that agrees less with its sample than this makes a film with two chests in it.
LEAST_AGREEMENT = 0.68
# An opacity on an example, in sizes of those that phantoms have.
LOBE = 1.6


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
    # Of thirty films with an opacity in the left lung none convinced both bundled networks.
    sides = (None, "right")
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
        readers: networks that must not read the film wrongly, and should be certain of it.
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
        best = None
        for candidate in candidates(slot, models, real, range(first, first + tries), say):
            found = judged(candidate, readers)
            if found is None:
                say(f"  {candidate.title}, seed {candidate.seed}: a network disagrees")
                continue
            say(f"  {candidate.title}, seed {candidate.seed}: {found[0]} of {len(readers)} certain")
            if best is None or found[:2] > best[:2]:
                best = found
            if found[0] == len(readers):
                break
        if best is None:
            raise ExampleError(
                f"None of {tries} candidates for {slot.truth} {slot.number} passed. "
                "Allow more --tries, choose another --seed, or fewer --models."
            )
        cases.append(best[2])
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
        opacity = _consolidation(child, slot.side, rng) if slot.side else None
        film = finished(soft, child, rng, opacity, seed)
        distance, _ = real.nearest(film)
        if distance < real.limit:
            say(f"  seed {seed}: the film is too near a real film")
            continue
        yield _case(slot, seed, film, child, opacity, distance, real.limit, model.count)


def _consolidation(child: Anatomy, side: str, rng: np.random.Generator) -> Opacity:
    """An opacity of a lobe's size: smaller ones seldom convince both networks."""
    small = place_opacity(child, side, rng)
    return replace(small, radius=round(LOBE * small.radius, 4))


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
