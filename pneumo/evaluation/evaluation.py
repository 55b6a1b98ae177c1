"""Scoring a checkpoint on a labelled folder, through the same Reader that serves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pneumo.data import dataset
from pneumo.evaluation.metrics import reliability, score
from pneumo.evaluation.thresholds import curve, proportion, rates, specificity_by_series
from pneumo.imaging.radiograph import read_radiograph
from pneumo.models.checkpoint import load
from pneumo.reading.decision import label_of
from pneumo.reading.reader import Reader

LABELS = ("NORMAL", "UNCERTAIN", "PNEUMONIA")


@dataclass(frozen=True, eq=False)
class Scores:
    """Probabilities of a reader on labelled films.

    Attributes:
        films: the films that were read, in order.
        probabilities: calibrated, float64 (N,).
        distinct: index of the first film of every set of pixel-identical ones.
        unread: films that were not read, with the reason.
    """

    films: tuple[dataset.Film, ...]
    probabilities: np.ndarray
    distinct: np.ndarray
    unread: tuple[tuple[Path, str], ...]


def read_all(reader: Reader, table: Sequence[dataset.Film]) -> Scores:
    """Read every film, showing progress when it takes over two seconds."""
    read, probabilities, unread = [], [], []
    for film in tqdm(table, desc=reader.name, unit="film", delay=2):
        reading = reader.read(film.path)
        if reading.ok:
            read.append(film)
            probabilities.append(reading.probability)
        else:
            unread.append((film.path, reading.reason))
    return Scores(tuple(read), np.array(probabilities), _first_of_each(read), tuple(unread))


def _first_of_each(table: Sequence[dataset.Film]) -> np.ndarray:
    seen: dict[bytes, int] = {}
    for i, film in enumerate(table):
        pixels = read_radiograph(film.path).pixels
        key = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()
        seen.setdefault(key, i)
    return np.array(sorted(seen.values()), dtype=np.int64)


def score_films(
    model: str, root: Path, split: str = "test", folder: Path | None = None
) -> dict:
    """Metrics of a checkpoint on one split, on all films and on distinct ones.

    Returns:
        {"model", "weights_sha256", "split", "all", "distinct", "curve", "reliability",
        "sensitivity_by_kind", "specificity_by_series", "labels", "operating_points", "unread"};
        "all" and "distinct" as `metrics.score` gives them, "labels" for each operating point as
        `labels_given` does.
        Where the card has an uncertain band also "uncertain", as `certain_answers` gives it.

    Raises:
        DataError: when the split is missing or has no readable film of a class.
        CheckpointError: when the checkpoint must not be used.
    """
    # Every film of the split counts, also one that the guard would refuse.
    reader = Reader(load(model, folder), guard=False)
    scores = read_all(reader, dataset.films(root, split))
    y, p = dataset.labels(scores.films), scores.probabilities
    if len(set(y.tolist())) < 2:
        raise dataset.DataError(f"No film of one of the classes in {root}/{split} can be read.")
    one = scores.distinct
    points = reader.checkpoint.card["operating_points"]
    kinds = np.array([film.kind for film in scores.films])
    band = {"uncertain": certain_answers(reader, y, p)} if reader.uncertain else {}
    labels = {name: labels_given(reader, y, p, at["threshold"]) for name, at in points.items()}
    return {
        "model": reader.name,
        "weights_sha256": reader.checkpoint.weights_sha256,
        "split": split,
        "all": score(y, p, reader.threshold),
        "distinct": score(y[one], p[one], reader.threshold),
        "curve": curve(y, p),
        "reliability": reliability(y, p),
        "sensitivity_by_kind": {
            str(kind): {
                "n": int((kinds == kind).sum()),
                "sensitivity": proportion(
                    int((p[kinds == kind] >= reader.threshold).sum()), int((kinds == kind).sum())
                ),
            }
            for kind in sorted(set(kinds[y == 1]))
        },
        "specificity_by_series": specificity_by_series(
            y, p, reader.threshold, [dataset.series_of(film) for film in scores.films]),
        "labels": labels,
        "operating_points": {name: rates(y, p, at["threshold"]) for name, at in points.items()},
        **band,
        "unread": [{"path": str(path), "reason": reason} for path, reason in scores.unread],
    }


def certain_answers(reader: Reader, labels: np.ndarray, probabilities: np.ndarray) -> dict:
    """How many films a reader leaves UNCERTAIN, and how often it is right about the others.

    Args:
        reader: its threshold and band decide.
        labels: 0/1, (N,), 1 for pneumonia.
        probabilities: calibrated, of pneumonia, (N,).

    Returns:
        {"n", "share": of films UNCERTAIN, "certain_accuracy", "coverage_normal",
        "coverage_pneumonia": share of the class whose label is right or UNCERTAIN}, each but n
        as `decisions.proportion` gives it; a certain_accuracy of no film is None.
    """
    said = np.array([label_of(p, reader.threshold, reader.uncertain)[0] for p in probabilities])
    truth = np.array(dataset.CLASSES)[labels]
    certain, right = said != "UNCERTAIN", said == truth
    covered = right | ~certain

    def share(of: np.ndarray) -> dict:
        return proportion(int(of.sum()), len(of))

    return {
        "n": len(labels),
        "share": share(~certain),
        "certain_accuracy": share(right[certain]) if certain.any() else None,
        "coverage_normal": share(covered[labels == 0]),
        "coverage_pneumonia": share(covered[labels == 1]),
    }


def labels_given(
    reader: Reader, labels: np.ndarray, probabilities: np.ndarray, threshold: float
) -> dict[str, dict[str, int]]:
    """How many films of each class get which label, as a person sees it.

    Args:
        reader: its band counts, widened to hold the threshold.
        labels: 0/1, (N,), 1 for pneumonia.
        probabilities: calibrated, of pneumonia, (N,).
        threshold: of the operating point.

    Returns:
        {class: {"NORMAL", "UNCERTAIN", "PNEUMONIA": count}}.
    """
    said = np.array([label_of(p, threshold, reader.uncertain)[0] for p in probabilities])
    return {
        truth: {name: int(((said == name) & (labels == i)).sum()) for name in LABELS}
        for i, truth in enumerate(dataset.CLASSES)
    }
