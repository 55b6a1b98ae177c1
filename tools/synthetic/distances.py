"""How near radiographs are to each other: the check that a synthetic one is nobody's.

Two radiographs are compared as 64 x 64 grey pictures whose mean is taken away and whose length is
made 1, so brightness and contrast do not count; their distance is Euclidean, from 0 (the same) over
1.41 (nothing in common) to 2 (one is the negative of the other), and the smaller of that to the
radiograph and to its mirror image. A synthetic one passes when its nearest real radiograph is at
least as far away as those of different patients are in all but the closest 5 % of cases.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pneumo.data.dataset import Sample, load_squares, samples
from pneumo.imaging.radiograph import UnreadableImage, read_radiograph
from pneumo.models.preprocess import Preprocessing

SIDE = 64
PERCENTILE = 5.0
_ROWS_AT_ONCE = 512


def code(pixels: np.ndarray) -> np.ndarray:
    """A radiograph as a vector to measure distances with.

    Args:
        pixels: uint8, square, at least SIDE x SIDE.

    Returns:
        float32, (SIDE * SIDE,), mean 0 and length 1; all 0 for a picture of one grey.
    """
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    flat = (small - small.mean()).ravel()
    length = float(np.linalg.norm(flat))
    return flat / length if length > 0 else flat


def mirrored(codes: np.ndarray) -> np.ndarray:
    """Codes (N, SIDE * SIDE) of the radiographs flipped left to right."""
    return codes.reshape(-1, SIDE, SIDE)[:, :, ::-1].reshape(len(codes), -1)


@dataclass(frozen=True, eq=False)
class RealRadiographs:
    """The codes of all real radiographs, and how near those of different patients come.

    Attributes:
        codes: float32, (N, SIDE * SIDE).
        names: where each radiograph lies in the dataset, such as train/NORMAL/IM-0115-0001.jpeg.
        limit: the 5th percentile of `between`.
        between: float32, (N,), distance of each radiograph to the nearest of another patient.
    """

    codes: np.ndarray
    names: tuple[str, ...]
    between: np.ndarray
    limit: float

    def nearest(self, pixels: np.ndarray) -> tuple[float, str]:
        """Distance to the nearest real radiograph (or its mirror image), and its name."""
        own = code(Preprocessing().square(pixels))[None]
        both = np.concatenate([own, mirrored(own)])
        best = int((self.codes @ both.T).max(axis=1).argmax())
        # A scalar product near 1 has lost half of its digits, how many depends on the processor.
        gaps = np.linalg.norm(both.astype(np.float64) - self.codes[best], axis=1)
        return float(gaps.min()), self.names[best]


def real_radiographs(root: str | Path) -> RealRadiographs:
    """Read train and test of a dataset folder and measures them.

    Raises:
        DataError: when a split is missing or a radiograph cannot be read.
    """
    tables = {split: samples(root, split) for split in ("train", "test")}
    table = [radiograph for split in tables.values() for radiograph in split]
    names = [
        f"{split}/{radiograph.path.parent.name}/{radiograph.path.name}"
        for split, part in tables.items()
        for radiograph in part
    ]
    return measured([code(p) for p in load_squares(table, Preprocessing())], table, names)


def measured(
    codes: Sequence[np.ndarray], table: Sequence[Sample], names: Sequence[str]
) -> RealRadiographs:
    """Measure radiographs whose codes are known; radiographs of one `group` are not compared.

    Args:
        codes: one vector of `code` a radiograph.
        table: the radiographs, for their patient groups.
        names: what to call them.
    """
    stacked = np.stack(codes)
    between = distances_between(stacked, [radiograph.group for radiograph in table])
    limit = float(np.percentile(between, PERCENTILE))
    return RealRadiographs(stacked, tuple(names), between, limit)


def distances_between(codes: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """Distance of each radiograph to the nearest radiograph, or mirror image, of another patient.

    Args:
        codes: float32, (N, SIDE * SIDE).
        groups: patient of each radiograph; at least two different ones.

    Returns:
        float32, (N,).

    Raises:
        ValueError: when all radiographs are of one patient.
    """
    numbers = np.unique(np.asarray(groups), return_inverse=True)[1]
    if numbers.max(initial=0) == 0:
        raise ValueError("Radiographs of at least two patients are needed to compare patients.")
    turned = mirrored(codes)
    nearest = np.empty(len(codes), np.float32)
    for start in range(0, len(codes), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        likeness = np.maximum(codes[rows] @ codes.T, codes[rows] @ turned.T)
        likeness[numbers[rows, None] == numbers[None]] = -np.inf
        nearest[rows] = likeness.max(axis=1)
    return _distance(nearest)


def _distance(likeness: np.ndarray) -> np.ndarray:
    """Euclidean distance of two vectors of length 1 from their scalar product."""
    return np.sqrt(np.maximum(2.0 - 2.0 * likeness, 0.0))


def report(folder: Path, cases: Sequence[dict], real: RealRadiographs) -> int:
    """Print the distance of every picture of a folder to its nearest real radiograph.

    Args:
        folder: holds the pictures.
        cases: entries of cases.json: `file` and `sha256` are looked at.
        real: the measured real radiographs.

    Returns:
        How many pictures do not pass: too near, not as listed, unreadable, or not listed at all.
    """
    print(
        f"{folder}: distance to the nearest of {len(real.names):,} real radiographs, of at least "
        f"{real.limit:.4f} (5th percentile between patients; median {np.median(real.between):.4f})."
    )
    listed = {case["file"]: case.get("sha256") for case in cases}
    extra = sorted(p.name for p in folder.glob("*.png") if p.name not in listed)
    failed = 0
    for name in [*listed, *extra]:
        verdict = _verdict(folder / name, listed.get(name), real)
        failed += not verdict.startswith("passes")
        print(f"{name:20} {verdict}")
    return failed


def _verdict(path: Path, sha256: str | None, real: RealRadiographs) -> str:
    """What is to be said about one picture; begins with "passes" or "FAILS"."""
    try:
        pixels = read_radiograph(path).pixels
    except UnreadableImage as error:
        return f"FAILS  {error.sentence}"
    distance, nearest = real.nearest(pixels)
    measured = f"{distance:.4f} from {nearest}"
    if sha256 is None:
        return f"FAILS  {measured}; cases.json does not list this picture"
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        return f"FAILS  {measured}; not the picture that cases.json describes"
    return f"{'passes' if distance >= real.limit else 'FAILS '} {measured}"
