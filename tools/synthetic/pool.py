"""A pool of synthetic radiographs to choose examples from: normal ones, and with one opacity.

A candidate is a sample of the eigenradiographs, sharpened; half of them get one consolidation at
a recorded place. It is kept when it is nobody's radiograph (`distances`). No network is asked here,
so a pool stays good when weights change.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pneumo.data.dataset import load_squares, samples
from pneumo.evaluation.localization import ZONES
from pneumo.files import bundled_folder, write_whole
from pneumo.imaging.opacity import insert_opacity
from pneumo.models.lungs import Segmenter, both_lungs, find_lungs
from pneumo.models.preprocess import Preprocessing
from pneumo.models.segmenter import load_segmenter
from pneumo.reading.zones import thirds
from tools.synthetic.distances import RealRadiographs, real_radiographs
from tools.synthetic.eigenradiographs import EigenRadiographs, eigenradiographs
from tools.synthetic.sharpen import near, sharpened, with_grain, with_marker, without_ghosts

SIZE = 512
TRIES = 40
# In the file's metadata, so that a picture that leaves the folder still says what it is.
DESCRIPTION = "Synthetic radiograph of no patient, made for teaching by Pneumo."
# Share of an opacity's circle in which it must be seen.
LEAST_SEEN = 0.55


@dataclass(frozen=True)
class Grade:
    """How large and dense an opacity is.

    Attributes:
        radius: range, in shares of the image's side.
        strength: range of the share of the air that is replaced.
        change: the mean change of grey where it can be seen is at least so much.
    """

    radius: tuple[float, float]
    strength: tuple[float, float]
    change: float


# In turn; the last is subtle.
GRADES = (
    Grade((0.09, 0.14), (0.75, 1.0), 22),
    Grade((0.06, 0.10), (0.6, 0.9), 14),
    Grade((0.045, 0.075), (0.35, 0.6), 8),
)


class ExampleError(RuntimeError):
    """Examples that cannot be made or chosen; the message says which and what to do."""


@dataclass(frozen=True, eq=False)
class Source:
    """What candidates are made from.

    Attributes:
        model: of the normal radiographs of `train`.
        real: the radiographs that none may come near.
        segmenter: finds the zones for opacities.
    """

    model: EigenRadiographs
    real: RealRadiographs
    segmenter: Segmenter


def load_source(data: str | Path) -> Source:
    """Read the dataset and make the model; minutes.

    Raises:
        DataError: when radiographs are missing or cannot be read.
        ExampleError: when there are too few.
    """
    segmenter = load_segmenter(bundled_folder("checkpoints") / "lungs.safetensors")
    normal = [radiograph for radiograph in samples(data) if not radiograph.label]
    squares = load_squares(normal, Preprocessing(size=224))
    try:
        model = eigenradiographs((squares, find_lungs(segmenter, squares)))
    except ValueError as error:
        raise ExampleError(str(error)) from None
    return Source(model, real_radiographs(data), segmenter)


def names_of(normal: int, opacities: int) -> list[str]:
    """Names of a pool's candidates, the two kinds alternating as far as they last."""
    names = [(number, "normal") for number in range(normal)]
    names += [(number, "opacity") for number in range(opacities)]
    return [f"{kind}-{number:02d}" for number, kind in sorted(names)]


def fill(
    folder: Path,
    names: list[str],
    source: Callable[[], Source],
    say: Callable[[str], None] = print,
) -> None:
    """Make the candidates that a folder lacks; what is there stays, so that it can be resumed.

    Args:
        folder: gets NAME.png and NAME.json of each.
        names: of `names_of`.
        source: called once, and only when something is missing.
        say: given a line about every candidate.

    Raises:
        ExampleError: when none of `TRIES` candidates of a name passed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in names if not (folder / f"{name}.json").is_file()]
    made_from = source() if missing else None
    for name in missing:
        assert made_from is not None
        found = next(candidates(name, made_from, say), None)
        if found is None:
            raise ExampleError(f"None of {TRIES} candidates for {name} passed.")
        pixels, record = found
        write_whole(folder / f"{name}.png", encoded(pixels))
        write_whole(folder / f"{name}.json", json.dumps(record, indent=2).encode())
        say(f"{name}: distance {record['distance']} (at least {record['distance_limit']})")


def candidates(
    name: str, source: Source, say: Callable[[str], None] = print
) -> Iterator[tuple[np.ndarray, dict]]:
    """The radiographs of a name that pass, and what is known about each.

    Yields:
        uint8, (SIZE, SIZE), and a record: truth, seed, opacity (x, y and radius in fractions of
        the image, side and zone of the patient, strength; None without), distance to the nearest
        real radiograph, and the least it has to be.
    """
    kind, _, number = name.partition("-")
    for attempt in range(TRIES):
        seed = [kind == "opacity", int(number), attempt]
        rng = np.random.default_rng([0xF11E5, *seed])
        soft = source.model.sample(rng, SIZE)
        # The sample must pass by itself: added detail is no way to get away from a real one.
        if source.real.nearest(soft)[0] < source.real.limit:
            say(f"  {name}, attempt {attempt}: the sample is too near a real radiograph")
            continue
        pixels = sharpened(soft, rng)
        lungs = find_lungs(source.segmenter, pixels[None])[0]
        sides = both_lungs(lungs)
        if sides is None:
            say(f"  {name}, attempt {attempt}: no two lungs are found")
            continue
        pixels = without_ghosts(pixels, lungs)
        opacity = None
        if kind == "opacity":
            zone, grade = ZONES[int(number) % 6], GRADES[int(number) // 6 % len(GRADES)]
            found = with_opacity(pixels, sides, zone, grade, rng)
            if found is None:
                say(f"  {name}, attempt {attempt}: no place for an opacity in the {zone} zone")
                continue
            pixels, opacity = found
        pixels = with_marker(with_grain(pixels, rng), rng)
        distance, _ = source.real.nearest(pixels)
        if distance < source.real.limit:
            say(f"  {name}, attempt {attempt}: too near a real radiograph")
            continue
        yield (
            pixels,
            {
                "truth": "PNEUMONIA" if opacity else "NORMAL",
                "seed": [int(part) for part in seed],
                "opacity": opacity,
                "radiographs": source.model.count,
                "distance": round(distance, 4),
                "distance_limit": round(source.real.limit, 4),
            },
        )


def with_opacity(
    pixels: np.ndarray,
    sides: tuple[np.ndarray, np.ndarray],
    zone: str,
    grade: Grade,
    rng: np.random.Generator,
    tries: int = 30,
) -> tuple[np.ndarray, dict] | None:
    """Insert one consolidation where it can be seen: in aerated lung, most of it in the zone.

    Args:
        pixels: uint8, (S, S).
        sides: the two lungs, as `both_lungs` gives them.
        zone: such as "right upper", of the patient.
        grade: decides size and density.
        rng: draws place, size, density and shape.
        tries: places tried.

    Returns:
        The radiograph, and x, y, radius (of the circle of what can be seen, in fractions of the
        image), side, zone and strength; None when no place did.
    """
    size = len(pixels)
    parts = [part for lung in sides for part in thirds(lung)]
    inside = dict(zip(ZONES, parts, strict=True))
    rows, columns = np.nonzero(inside[zone])
    # Consolidation ends at the pleura.
    lung = near(np.uint8(255) * (sides[0] | sides[1]), 0.008)
    for _ in range(tries):
        radius = float(rng.uniform(*grade.radius))
        strength = float(rng.uniform(*grade.strength))
        place = rng.integers(len(rows))
        center = (float(columns[place]), float(rows[place]))
        changed, seen = insert_opacity(pixels, center, radius * size, strength, rng)
        area = np.pi * (radius * size) ** 2
        # Beyond the lungs, as before the heart, an opacity says nothing.
        shares = {name: (seen & part).sum() / area for name, part in inside.items()}
        if shares[zone] < max(shares.values()) or sum(shares.values()) < LEAST_SEEN:
            continue
        changed = np.rint(lung * changed + (1 - lung) * pixels).astype(np.uint8)
        if cv2.absdiff(changed, pixels)[seen].mean() < grade.change:
            continue
        y, x = (float(np.mean(found) + 0.5) / size for found in np.nonzero(seen))
        return changed, {
            "x": round(x, 4),
            "y": round(y, 4),
            "radius": round(float(np.sqrt(seen.sum() / np.pi)) / size, 4),
            "side": zone.split()[0],
            "zone": zone.split()[1],
            "strength": round(strength, 2),
        }
    return None


def encoded(pixels: np.ndarray) -> bytes:
    """An 8-bit grey PNG whose metadata say that it is synthetic, and nothing else."""
    stream, info = io.BytesIO(), PngInfo()
    info.add_text("Description", DESCRIPTION)
    Image.fromarray(pixels).save(stream, "PNG", optimize=True, pnginfo=info)
    return stream.getvalue()
