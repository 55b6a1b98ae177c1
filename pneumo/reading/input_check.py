"""The input check: is this a frontal chest radiograph of a child, upright and whole?

It looks at a thumbnail alone, before any network runs, so that it answers alike whichever network
is chosen. Its numbers lie in checkpoints/input_check.json, which `python -m tools.input_check`
fits.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pneumo.imaging.messages import LATERAL_NOTE
from pneumo.imaging.radiograph import Radiograph
from pneumo.models.card import BUNDLED, CheckpointError, Estimate, checkpoint_folder, read_typed
from pneumo.reading import quality
from pneumo.reading.checks import Check, check
from pneumo.reading.descriptor import LENGTH, SIDE, describe, mirrored, thumbnail, turned

FILE, WHAT = "input_check.json", "input check"
FORMAT = 2
# Numbers of a description count up to so many deviations from what is usual.
FARTHEST = 6.0
UNIT = 1_000  # whole numbers keep the file small

# No ordinary radiograph has these: of 402 of children, 40 originals and 258 of adults none has less
# contrast than 0.36, and a blank image has 0.04.
BLANK, LOW_CONTRAST = 0.04, 0.35
# Nor has any of them, blurred or faint, less detail than 0.10; a gradient has 0.07 at most.
LEAST_DETAIL = 0.08
# Nor has any, degraded or reframed, more than 0.57; some drawings and photographs have 0.6 to 0.9.
MOST_DETAIL = 0.58
TINY_SIDE, SMALL_SIDE = 32, 160
LONG_ASPECT = 2.5
# A name and a date. "PORTABLE" has eight characters, and projections stand in lines of their own.
LINE_OF_TEXT, MUCH_TEXT = 10, 16


@dataclass(frozen=True)
class LinearProbe:
    """One linear question to a standardised description."""

    weights: tuple[float, ...]  # LENGTH numbers
    bias: float
    threshold: float  # the answer is yes at or above it

    def __post_init__(self) -> None:
        if len(self.weights) != LENGTH:
            raise ValueError(f"there must be {LENGTH} weights, not {len(self.weights)}")


@dataclass(frozen=True)
class ChestProbe(LinearProbe):
    """The question whether it is a chest radiograph; children's vary less than adults' do."""

    child_threshold: float  # instead of the other for what does not look like an adult's


@dataclass(frozen=True)
class Subspace:
    """The principal components of upright chest radiographs, and how far from them one may be."""

    center: tuple[float, ...]  # mean of standardised descriptions, LENGTH numbers
    # Orthonormal directions, LENGTH numbers each, in units of 1 / UNIT.
    components: tuple[tuple[int, ...], ...]
    limit: float  # the largest logarithm of the mean squared distance from the subspace
    child_limit: float  # the same for what does not look like an adult's

    def __post_init__(self) -> None:
        if not self.components or {len(row) for row in (self.center, *self.components)} != {LENGTH}:
            raise ValueError(f"the center and every component must have {LENGTH} numbers")


@dataclass(frozen=True)
class RefusalRow:
    """How many images of one kind, none of which was in the fit, were refused."""

    kind: str  # what they show
    change: str  # what was done to them, "" for nothing
    chest: bool  # whether they are frontal chest radiographs, which should not be refused
    refused: Estimate  # share refused


@dataclass(frozen=True)
class WarningRow:
    """How often a warning is right, on radiographs that were not in the fit; a share is None where
    there are none."""

    code: str  # of the warning, a key of pneumo.reading.checks.SENTENCES
    population: str  # whose radiographs
    change: str  # what was done to them in the second case of each, "" for nothing
    false_alarms: Estimate | None  # share of those that should not be warned of and are
    found: Estimate | None  # share of those that should be warned of and are, or are refused


@dataclass(frozen=True)
class InputCheckFile:
    """All that input_check.json holds."""

    format: int
    fitted_on: dict[str, int]  # kind of image -> how many of them, copies included
    mean: tuple[float, ...]  # LENGTH numbers, of descriptions of chest radiographs in any position
    scale: tuple[float, ...]
    chest: ChestProbe  # upright frontal chest radiograph, or anything else
    usual: Subspace  # of chest radiographs alone; what is far from them is none, whatever it is
    adult: LinearProbe
    cropped: LinearProbe
    mirrored: LinearProbe  # asked of the description less that of the mirrored image
    # Measured; empty until then.
    refusals: tuple[RefusalRow, ...] = ()
    warnings: tuple[WarningRow, ...] = ()

    def __post_init__(self) -> None:
        if len(self.mean) != LENGTH or len(self.scale) != LENGTH or min(self.scale) <= 0:
            raise ValueError(f"mean and scale must be {LENGTH} numbers each, the scale above 0")


class InputCheck:
    """Checks radiographs; may be used from several threads. `sha256` is its file's, or ""."""

    def __init__(self, file: InputCheckFile, sha256: str = "") -> None:
        self.file = file
        self.sha256 = sha256
        self._mean = np.array(file.mean, np.float32)
        self._scale = np.array(file.scale, np.float32)
        self._weights = {
            name: np.array(getattr(file, name).weights, np.float32)
            for name in ("chest", "adult", "cropped", "mirrored")
        }
        # Turning the question the other way gives what turning the image would.
        chest = self._weights["chest"][None]
        self._chest_turned = np.concatenate([turned(chest, -quarters % 4) for quarters in range(4)])
        self._center = np.array(file.usual.center, np.float32)
        self._components = np.array(file.usual.components, np.float32) / UNIT

    def standardised(self, described: np.ndarray) -> np.ndarray:
        """Descriptions (N, LENGTH), as `describe` gives them, in deviations from the usual."""
        return np.clip((described - self._mean) / self._scale, -FARTHEST, FARTHEST)

    def score(self, name: str, z: np.ndarray) -> np.ndarray:
        """How far standardised descriptions (N, LENGTH) are above the threshold of the probe
        "chest", "adult", "cropped" or "mirrored", (N,)."""
        probe: LinearProbe = getattr(self.file, name)
        if name == "mirrored":
            z = z - mirrored(z)
        return z @ self._weights[name] + (probe.bias - probe.threshold)

    def distance(self, z: np.ndarray) -> np.ndarray:
        """How far upright images, standardised (N, LENGTH), are beyond what is usual, (N,)."""
        away = z - self._center
        within = away @ self._components.T
        rest = ((away * away).sum(1) - (within * within).sum(1)) / LENGTH
        return np.log(np.maximum(rest, 1e-6)) - self.file.usual.limit

    def position(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """By how many quarters of a circle images, standardised (N, LENGTH), are turned clockwise
        from where they look most like a chest, (N,), and their score for "chest" there."""
        scores = z @ self._chest_turned.T + (self.file.chest.bias - self.file.chest.threshold)
        return scores.argmax(1), scores.max(1)

    def examine(self, radiograph: Radiograph) -> tuple[Check, ...]:
        """All checks of one radiograph; it must not be analyzed when one has failed."""
        fine = quality.reduced(radiograph.pixels)
        coarse = quality.reduced(fine, 2 * SIDE)
        return (*self._looks(coarse, radiograph), *_measures(radiograph.pixels, fine, coarse))

    def _looks(self, coarse: np.ndarray, radiograph: Radiograph) -> tuple[Check, ...]:
        small = thumbnail(coarse)
        z = self.standardised(describe(small[None]))
        position, chest = self.position(z)
        quarters = int(position[0])
        z = turned(z, quarters)
        if LATERAL_NOTE in radiograph.notes:
            return (check("chest.lateral"),)
        yes = {name: self.score(name, z)[0] >= 0 for name in ("adult", "cropped", "mirrored")}
        least, most = 0.0, 0.0
        if not yes["adult"]:
            least = self.file.chest.child_threshold - self.file.chest.threshold
            most = self.file.usual.child_limit - self.file.usual.limit
        plausible = LEAST_DETAIL <= quality.detail(small) <= MOST_DETAIL
        if chest[0] < least or self.distance(z)[0] > most or not plausible:
            return (check("chest.not_frontal"),)
        # Of adults it knows too little to tell.
        upright = "mirrored" if yes["mirrored"] and not yes["adult"] else "ok"
        upright = f"turned_{90 * quarters}" if quarters else upright
        return (
            check("chest.ok"),
            check(f"upright.{upright}"),
            check("whole.cropped" if yes["cropped"] else "whole.ok"),
            check("population.adult" if yes["adult"] else "population.ok"),
        )


def _measures(pixels: np.ndarray, fine: np.ndarray, coarse: np.ndarray) -> tuple[Check, ...]:
    """The checks of contrast, size, shape and text."""
    height, width = pixels.shape
    short, long = sorted((height, width))
    shape = "long" if long > LONG_ASPECT * short else "ok"
    contrast, text = quality.contrast(coarse), quality.find_text(fine)
    levels = "blank" if contrast < BLANK else "low" if contrast < LOW_CONTRAST else "ok"
    size = "tiny" if short < TINY_SIDE else "small" if short < SMALL_SIDE else "ok"
    named = text.longest >= LINE_OF_TEXT or text.total >= MUCH_TEXT
    return (
        check(f"contrast.{levels}"),
        check(f"size.{size}", width=width, height=height),
        check(f"shape.{shape}", width=width, height=height),
        check("text.burned_in" if named else "text.ok"),
    )


def load_input_check(folder: Path | None = None, sha256: str | None = None) -> InputCheck:
    """The input check of a folder of checkpoints; the bundled one where it has none of its own.

    A CheckpointError when there is none, or it is damaged, or has not the sha256 that is given,
    from a network's card.
    """
    path = checkpoint_folder(folder) / FILE
    if not path.is_file():
        path = BUNDLED / FILE
    missing = f"There is no input check {path}. Get the checkpoints folder again."
    found, digest = read_typed(InputCheckFile, path, WHAT, FORMAT, missing)
    if sha256 is not None and digest != sha256:
        raise CheckpointError(
            f"The input check {path} is not the one that the network was released with (sha256 "
            f"{digest[:12]}..., card {sha256[:12]}...). Get the checkpoints folder again."
        )
    return InputCheck(found, digest)
