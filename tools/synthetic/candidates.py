"""Draws candidates for synthetic radiographs until each example has one that passes.

A candidate is a sample of the eigenradiographs of its class, sharpened with drawn detail; most
pneumonias are normal samples with an opacity drawn at a known place. A candidate may be kept when
it is nobody's radiograph (`distances`) and no check warns of it. Of the usual examples the networks
must be right; of the two difficult ones at least one network is wrong or leaves it open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from pneumo.data.dataset import CLASSES, load_squares, samples
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
from tools.synthetic.cases import Case, ExampleError, encoded, judged
from tools.synthetic.distances import RealRadiographs
from tools.synthetic.eigenradiographs import EigenRadiographs, eigenradiographs
from tools.synthetic.sharpen import fitted_anatomy, sharpened

SIZE = 640
MOST_PER_CLASS = 1400
# A drawing that agrees less with its sample than this makes a radiograph with two chests in it.
LEAST_AGREEMENT = 0.68
# An opacity on an example, in sizes of those that phantoms have.
LOBE = 1.6
SIDES = ("right", "left", "right", "left", None)


@dataclass(frozen=True)
class Slot:
    """What one example is to show.

    Attributes:
        truth: "NORMAL" or "PNEUMONIA".
        number: of the example, from 1.
        side: the patient's, of a drawn opacity; None for none.
        difficult: whether the networks are to be wrong about it, or leave it open.
    """

    truth: str
    number: int
    side: str | None = None
    difficult: bool = False

    @property
    def model(self) -> str:
        """Class whose eigenradiographs it is sampled from."""
        return "NORMAL" if self.side else self.truth


def slots(count: int) -> list[Slot]:
    """Half normal, half pneumonia, in mixed order; the last of each class is difficult.

    Raises:
        ExampleError: for an odd count or one below two.
    """
    if count < 2 or count % 2:
        raise ExampleError(f"The count of examples is an even number of at least 2, not {count}.")
    half = count // 2
    plan: list[tuple[str, str | None, bool]] = [
        ("NORMAL", None, n == half - 1) for n in range(half)
    ]
    plan += [("PNEUMONIA", SIDES[n % len(SIDES)], n == half - 1) for n in range(half)]
    order = np.random.default_rng(0).permutation(count)
    return [Slot(plan[i][0], n, *plan[i][1:]) for n, i in enumerate(order, 1)]


def class_models(data: str | Path) -> dict[str, EigenRadiographs]:
    """Eigenradiographs of both classes, each of at most `MOST_PER_CLASS` spread over `train`.

    Raises:
        DataError: when radiographs are missing or cannot be read.
        ExampleError: when there are too few.
    """
    table = samples(data, "train")
    models = {}
    for label, name in enumerate(CLASSES):
        own = [radiograph for radiograph in table if radiograph.label == label]
        spread = np.linspace(0, len(own) - 1, min(len(own), MOST_PER_CLASS)).round().astype(int)
        squares = load_squares([own[i] for i in spread], Preprocessing())
        try:
            models[name] = eigenradiographs(squares)
        except ValueError as error:
            raise ExampleError(f"{name}: {error}") from None
    return models


def make(
    wanted: Sequence[Slot],
    models: dict[str, EigenRadiographs],
    real: RealRadiographs,
    readers: Sequence[Reader] = (),
    seed: int = 0,
    tries: int = 12,
    say: Callable[[str], None] = print,
) -> list[Case]:
    """Draws candidates for every slot until one passes.

    Args:
        wanted: what the radiographs are to show.
        models: eigenradiographs by class name.
        real: the radiographs none may come near.
        readers: networks that judge; none for no judgement.
        seed: of the whole set.
        tries: candidates drawn for one slot at most.
        say: given a line about every candidate.

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
                say(f"  {candidate.title}, seed {candidate.seed}: does not fit")
                continue
            rank, case = found
            say(f"  {case.title}, seed {case.seed}: {rank:.3f}")
            if best is None or rank > best[0]:
                best = found
            if rank >= len(readers):
                break
        if best is None:
            raise ExampleError(
                f"None of {tries} candidates for {slot.truth} {slot.number} passed. "
                "Allow more --tries, choose another --seed, or fewer --models."
            )
        cases.append(best[1])
        say(f"{cases[-1].file}: distance {cases[-1].distance:.3f} (at least {real.limit:.3f})")
    return cases


def candidates(
    slot: Slot,
    models: dict[str, EigenRadiographs],
    real: RealRadiographs,
    seeds: Sequence[int],
    say: Callable[[str], None] = print,
) -> Iterator[Case]:
    """The radiographs of these seeds that are nobody's and whose drawing agrees with the sample."""
    for seed in seeds:
        rng = np.random.default_rng([0xF11E5, seed])
        model = models[slot.model]
        soft = model.sample(rng)
        # The sample must pass by itself: drawn detail is no way to get away from a real one.
        if real.nearest(soft)[0] < real.limit:
            say(f"  seed {seed}: the sample is too near a real radiograph")
            continue
        child, agreement = fitted_anatomy(soft, rng)
        if agreement < LEAST_AGREEMENT:
            say(f"  seed {seed}: the drawing does not fit ({agreement:.2f})")
            continue
        opacity = None
        if slot.side:
            small = place_opacity(child, slot.side, rng)
            # A lobe's size convinces both networks; a difficult one stays small.
            opacity = (
                small if slot.difficult else replace(small, radius=round(LOBE * small.radius, 4))
            )
        pixels = finished(soft, child, rng, opacity, seed)
        distance, _ = real.nearest(pixels)
        if distance < real.limit:
            say(f"  seed {seed}: too near a real radiograph")
            continue
        yield _case(slot, seed, pixels, child, opacity, distance, real.limit, model.count)


def finished(
    soft: np.ndarray, child: Anatomy, rng: np.random.Generator, opacity: Opacity | None, seed: int
) -> np.ndarray:
    """Sharpens a sample, adds an opacity, grain and the side marker.

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
    pixels = with_grain(sharpened(soft, child, rng, SIZE, fluid), rng)
    stamp(pixels, "R", (rng.uniform(0.02, 0.035), rng.uniform(0.14, 0.42)), 0.05)
    return to_uint8(pixels)


def _case(
    slot: Slot,
    seed: int,
    pixels: np.ndarray,
    child: Anatomy,
    opacity: Opacity | None,
    distance: float,
    limit: float,
    count: int,
) -> Case:
    png = encoded(pixels)
    caption = (
        f"Synthetic radiograph, no patient: sampled from a statistical model of {count:,} "
        f"{slot.model.lower()} radiographs, fine detail drawn."
    )
    place = None
    if opacity is not None:
        depth = (opacity.y - child.apex) / (child.dome_right - child.apex)
        zone = ("upper", "middle", "lower")[int(depth > 0.42) + int(depth > 0.66)]
        caption += f" An opacity was drawn in the {opacity.side} {zone} zone."
        place = {k: v for k, v in asdict(opacity).items() if k != "strength"}
    return Case(
        file=f"synthetic-{slot.number}.png",
        title=f"Synthetic radiograph {slot.number}",
        truth=slot.truth,
        caption=caption,
        difficult=slot.difficult,
        seed=seed,
        opacity=place,
        distance=round(distance, 4),
        distance_limit=round(limit, 4),
        sha256=hashlib.sha256(png).hexdigest(),
        readings={},
        png=png,
    )
