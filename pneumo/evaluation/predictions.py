"""A network's probabilities for labelled radiographs, and what is measured of a whole split."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pneumo.data import dataset
from pneumo.data.dataset import DataError, Sample
from pneumo.data.memory import logits
from pneumo.evaluation.metrics import curve, proportion, reliability, score
from pneumo.evaluation.thresholds import normal_series
from pneumo.imaging.polarity import bones_bright
from pneumo.imaging.radiograph import UnreadableImage, read_radiograph
from pneumo.models.card import Estimate, SplitResult
from pneumo.models.checkpoint import Checkpoint


@dataclass(frozen=True, eq=False)
class Predictions:
    """Balanced probabilities, float64 (N,), of labelled radiographs.

    `distinct` has the index of the first of every set of identical ones, `unread` the reasons.
    """

    table: tuple[Sample, ...]
    probabilities: np.ndarray
    distinct: np.ndarray | None = None
    unread: tuple[tuple[Path, str], ...] = ()

    @property
    def labels(self) -> np.ndarray:
        """0/1, (N,), 1 for pneumonia."""
        return dataset.labels(self.table)

    @property
    def groups(self) -> np.ndarray:
        """Patient of each, (N,)."""
        return np.array([sample.group for sample in self.table])


def validation_images(data: Path, recipe: dict, fingerprint: str) -> tuple[Sample, ...]:
    """The validation radiographs of a recipe, of DATA/train; a DataError for other fingerprints."""
    table = dataset.samples(data, "train")
    if dataset.fingerprint(table) != fingerprint:
        raise DataError(
            f"The radiographs in {data}/train are not those that the network was trained on, so "
            "none of them is sure to be new to it. Name the folder it was trained on."
        )
    return dataset.validation_split(table, 0, recipe["folds"], recipe["fold"])[1]


def labelled_images(folder: Path, split: str = "test") -> tuple[Sample, ...]:
    """Radiographs of FOLDER/{NORMAL,PNEUMONIA} or FOLDER/SPLIT/{NORMAL,PNEUMONIA}."""
    if (folder / dataset.CLASSES[0]).is_dir():
        return dataset.samples(folder.parent, folder.name)
    return dataset.samples(folder, split)


def predict_all(checkpoint: Checkpoint, table: Sequence[Sample]) -> Predictions:
    """Probabilities of radiographs from their files; a DataError if a class cannot be read."""
    kept: list[Sample] = []
    squares: list[np.ndarray] = []
    unread: list[tuple[Path, str]] = []
    seen: dict[bytes, int] = {}
    for sample in tqdm(table, desc=checkpoint.name, unit="image", delay=2, disable=None):
        try:
            pixels = read_radiograph(sample.path).pixels
        except UnreadableImage as error:
            unread.append((sample.path, error.sentence))
            continue
        key = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()
        seen.setdefault(key, len(kept))
        kept.append(sample)
        squares.append(checkpoint.preprocessing.square(pixels))
    if len({sample.label for sample in kept}) < 2:
        both = " and ".join(dataset.CLASSES)
        raise DataError(f"No radiograph of one of the classes {both} could be read.")
    values = logits(checkpoint.network, np.stack(squares), checkpoint.preprocessing)
    return Predictions(
        tuple(kept),
        checkpoint.card.calibration.probability(values),
        np.array(sorted(seen.values())),
        tuple(unread),
    )


def probabilities_of(checkpoint: Checkpoint, images: Sequence[np.ndarray]) -> np.ndarray:
    """Balanced probabilities, float64 (N,), of uint8 (H, W), turned where stored inverted."""
    preprocessing = checkpoint.preprocessing
    squares = np.stack([preprocessing.square(bones_bright(image)[0]) for image in images])
    values = logits(checkpoint.network, squares, preprocessing)
    return checkpoint.card.calibration.probability(values)


def split_result(found: Predictions, threshold: float) -> SplitResult:
    """All metrics of a split with both classes, at the decisive threshold."""
    y, p = found.labels, found.probabilities
    kinds = np.array([sample.kind for sample in found.table])
    series = normal_series(y, [dataset.series_of(sample) for sample in found.table])
    distinct = None
    if (one := found.distinct) is not None:
        distinct = score(y[one], p[one], threshold, float(y[one].mean()), found.groups[one])
    return SplitResult(
        scores=score(y, p, threshold, float(y.mean()), found.groups),
        distinct=distinct,
        sensitivity_by_kind={
            kind: _share(p[(kinds == kind) & (y == 1)] >= threshold)
            for kind in sorted(set(kinds[y == 1].tolist()))
        },
        specificity_by_series={n: _share(p[s] < threshold) for n, s in series.items() if n},
        curve=curve(y, p),
        reliability=reliability(y, p),
    )


def _share(right: np.ndarray) -> Estimate:
    return proportion(int(right.sum()), len(right))
