"""Chooses examples from a pool by what the bundled networks say, and writes cases.json.

The gallery shows what a user should see first: radiographs that the networks label rightly, with
the strongest evidence in the opacity's zone, and two that they do not. The teaching set has as
many normal radiographs as opacities, these in all six zones alike, some of each labelled wrongly.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pneumo.evaluation.localization import ZONES, enlarged
from pneumo.files import write_whole
from pneumo.imaging.radiograph import read_radiograph
from pneumo.reading.reader import Reader, Reading
from pneumo.reading.zones import strongest_zone, zone_shares
from tools.synthetic.pool import SIZE, ExampleError, encoded

CASES = "cases.json"
TEACHING = "teaching"
TEACHING_SIZE = 384
MOST_TEACHING_BYTES = 3_000_000
CAPTION = "Synthetic radiograph of no patient."
# How many a network is wrong about or leaves open: of the gallery, and of each half of the
# teaching set.
DIFFICULT, DIFFICULT_TEACHING = 2, 3


@dataclass(frozen=True, eq=False)
class Candidate:
    """A radiograph of the pool and what the networks say about it.

    Attributes:
        name: in the pool.
        record: as `pool.candidates` wrote it.
        png: the file that would be shipped, and which the networks were given.
        readings: network name -> its reading.
    """

    name: str
    record: dict
    png: bytes
    readings: dict[str, Reading]

    @property
    def zone(self) -> str | None:
        """The opacity's zone, such as "right upper"; None without an opacity."""
        opacity = self.record["opacity"]
        return opacity and f"{opacity['side']} {opacity['zone']}"

    @property
    def warned(self) -> bool:
        """Whether any check of the input is not passed."""
        return any(c.outcome != "passed" for r in self.readings.values() for c in r.checks)

    @property
    def right(self) -> bool:
        """Whether every network gives the truth as its label."""
        return all(r.label == self.record["truth"] for r in self.readings.values())

    @property
    def located(self) -> bool:
        """Whether every network has its strongest evidence in the opacity's zone; True without."""
        return self.zone is None or all(_zone(r) == self.zone for r in self.readings.values())

    @property
    def certainty(self) -> float:
        """The least probability that a network gives the truth; half of it for an opacity, to
        which half of the least share of evidence inside its circle is added."""
        sick = self.record["truth"] == "PNEUMONIA"
        given = [r.probability or 0.0 for r in self.readings.values()]
        least = min(p if sick else 1 - p for p in given)
        return (least + min(map(self._inside, self.readings.values()))) / 2 if sick else least

    def _inside(self, reading: Reading) -> float:
        if reading.evidence is None:
            return 0.0
        opacity, large = self.record["opacity"], enlarged(reading.evidence, 256)
        x, y = np.meshgrid(*[(np.arange(256) + 0.5) / 256] * 2)
        circle = np.hypot(x - opacity["x"], y - opacity["y"]) <= 1.2 * opacity["radius"]
        return float(large[circle].sum() / max(large.sum(), 1e-9))


def read_pool(folder: Path, readers: Sequence[Reader], size: int) -> list[Candidate]:
    """The candidates of a pool at a size, each given to the networks.

    Raises:
        ExampleError: when the folder holds none.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        pixels = read_radiograph(path.with_suffix(".png")).pixels
        if size != len(pixels):
            pixels = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA)
        png = encoded(pixels)
        radiograph = read_radiograph(png)
        readings = {reader.name: reader.read_radiograph(radiograph) for reader in readers}
        found.append(Candidate(path.stem, json.loads(path.read_text()), png, readings))
    if not found:
        raise ExampleError(f"{folder} holds no pool: python -m tools.make_examples pool {folder}")
    return found


def gallery(pool: Sequence[Candidate], count: int) -> tuple[list[Candidate], list[str]]:
    """Normal ones, as many with an opacity in each lung, and the difficult ones, in mixed order.

    Returns:
        The chosen, and a sentence for each part that the pool could not fill as it should be.
    """
    left, lacking = [c for c in pool if not c.warned], list[str]()
    quarter = (count - DIFFICULT) // 4
    plan: list[tuple[str, int, Callable[[Candidate], bool]]] = [
        ("normal", 2 * quarter, lambda c: c.zone is None and c.right),
        ("opacity right", quarter, lambda c: _side(c) == "right" and c.right and c.located),
        ("opacity left", quarter, lambda c: _side(c) == "left" and c.right and c.located),
    ]
    chosen = [c for what, n, fits in plan for c in _take(left, n, fits, what, lacking)]
    for truth in ("NORMAL", "PNEUMONIA"):
        wrong = [c for c in left if not c.right and c.record["truth"] == truth]
        # Where the networks miss none of a class, another of the other class is shown.
        of = {c.name for c in wrong or left if not c.right}
        chosen += _take(left, 1, _one_of(of), "difficult", lacking, hard=True)
    return _mixed(chosen), lacking


def teaching_set(pool: Sequence[Candidate], count: int) -> tuple[list[Candidate], list[str]]:
    """Half normal, the other half opacities in all zones alike; some labelled wrongly.

    Returns:
        As `gallery` does.
    """
    left, lacking = [c for c in pool if not c.warned], list[str]()
    half = count // 2
    wrong = sum(not c.zone and not c.right for c in left)
    hard = min(DIFFICULT_TEACHING, wrong)
    chosen = _take(left, hard, lambda c: not c.zone and not c.right, "difficult normal", lacking)
    chosen += _take(left, half - hard, lambda c: not c.zone, "normal", lacking)
    for zone in ZONES:
        for n in range(half // len(ZONES)):
            here = {c.name for c in left if c.zone == zone}
            missed = {c.name for c in left if not c.right} & here
            if n or sum(not c.right for c in chosen if c.zone) >= DIFFICULT_TEACHING:
                missed = set()
            chosen += _take(left, 1, _one_of(missed or here), zone, lacking)
    return _mixed(chosen), lacking


def _one_of(names: set[str]) -> Callable[[Candidate], bool]:
    return lambda candidate: candidate.name in names


def _take(
    left: list[Candidate],
    count: int,
    fits: Callable[[Candidate], bool],
    what: str,
    lacking: list[str],
    hard: bool = False,
) -> list[Candidate]:
    """The best that fit, in different zones where that is possible; they leave `left`."""
    taken: list[Candidate] = []
    for _ in range(count):
        here = [c for c in left if fits(c)]
        if not here:
            lacking.append(f"{count - len(taken)} more are needed: {what}.")
            break
        zones = {c.zone for c in taken}
        sign = -1 if hard else 1
        best = max(here, key=lambda c: (c.zone not in zones, sign * c.certainty))
        left.remove(best)
        taken.append(best)
    return taken


def write_set(chosen: Sequence[Candidate], folder: Path, difficult: bool) -> None:
    """Write pictures and cases.json; pictures that only the earlier cases.json named go.

    Args:
        chosen: in the order of the page.
        folder: made when it is missing; other files in it stay.
        difficult: whether what a network is wrong about is marked by "teaching": true.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = {entry["file"] for entry in read_cases(folder)} if (folder / CASES).exists() else ()
    cases = []
    for number, candidate in enumerate(chosen, 1):
        cases.append(
            {
                "file": f"synthetic-{number:02d}.png",
                "number": number,
                "caption": CAPTION,
                "synthetic": True,
                **({"teaching": True} if difficult and not candidate.right else {}),
                **candidate.record,
                "sha256": hashlib.sha256(candidate.png).hexdigest(),
                "readings": {name: _noted(r) for name, r in candidate.readings.items()},
            }
        )
        write_whole(folder / cases[-1]["file"], candidate.png)
    for name in set(before) - {case["file"] for case in cases}:
        (folder / Path(name).name).unlink(missing_ok=True)
    write_whole(folder / CASES, (json.dumps(cases, indent=2) + "\n").encode())


def read_cases(folder: Path) -> list[dict]:
    """The entries of a folder's cases.json.

    Raises:
        ExampleError: when it is missing, damaged or empty.
    """
    try:
        cases = json.loads((folder / CASES).read_text(encoding="utf-8"))
        if isinstance(cases, list) and cases and all(isinstance(c["file"], str) for c in cases):
            return cases
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise ExampleError(f"{folder / CASES} lists no radiograph.")


def choose(
    folder: Path, out: Path, readers: Sequence[Reader], count: int, teaching: int, anyway: bool
) -> list[str]:
    """Choose both sets from a pool and write them, lines about them returned.

    Raises:
        ExampleError: when the pool cannot fill them, unless `anyway`; or the files are too large.
    """
    shown, lacking = gallery(read_pool(folder, readers, SIZE), count)
    used = {candidate.name for candidate in shown}
    small = read_pool(folder, readers, TEACHING_SIZE)
    taught, more = teaching_set([c for c in small if c.name not in used], teaching)
    lines = [f"{sum(c.warned for c in small)} of {len(small)} trigger a warning."]
    lines += [_line(c) for c in [*shown, *taught]]
    if (lacking or more) and not anyway:
        raise ExampleError("\n".join([*lines, "The pool does not suffice.", *lacking, *more]))
    if sum(len(c.png) for c in taught) > MOST_TEACHING_BYTES:
        raise ExampleError(f"The teaching set is larger than {MOST_TEACHING_BYTES:,} bytes.")
    write_set(shown, out, difficult=True)
    write_set(taught, out / TEACHING, difficult=False)
    return [*lines, *lacking, *more]


def _line(candidate: Candidate) -> str:
    said = "; ".join(
        f"{name} {r.label} {r.probability or 0:.2f} {_zone(r) or ''}"
        for name, r in candidate.readings.items()
    )
    return f"{candidate.name:12} {candidate.zone or 'normal':13} {said}"


def _noted(reading: Reading) -> dict:
    return {
        "label": reading.label,
        "probability": round(reading.probability or 0.0, 4),
        "strongest_zone": _zone(reading),
        "weights_sha256": reading.weights_sha256,
    }


def _zone(reading: Reading) -> str | None:
    """The zone of the strongest evidence, also of a network whose card does not vouch for it."""
    if reading.evidence is None or reading.lungs is None:
        return None
    return strongest_zone(zone_shares(reading.evidence, reading.lungs))


def _side(candidate: Candidate) -> str | None:
    return candidate.zone and candidate.zone.split()[0]


def _mixed(chosen: list[Candidate]) -> list[Candidate]:
    return [chosen[i] for i in np.random.default_rng(0).permutation(len(chosen))]
