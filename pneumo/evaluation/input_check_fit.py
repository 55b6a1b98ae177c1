"""Fitting a network's guard: linear questions to the descriptions of many kinds of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from pneumo.data.dataset import DataError
from pneumo.evaluation.guard_material import ADULTS, FILMS, FIT, PHANTOMS, TURNS, Specimen
from pneumo.models.checkpoint import Checkpoint
from pneumo.reading.input_check import Guard, Head, descriptions

# Largest share of the films of a population that the guard may refuse, by cross-validation.
REFUSED = {FILMS: 0.002, ADULTS: 0.01, PHANTOMS: 0.0}
# Largest share of ordinary films that a warning may name wrongly, by cross-validation.
FALSE_ALARMS = 0.005
STRENGTH = {"chest": 0.003, "default": 0.003}  # inverse of the ridge penalty
FOLDS = 5
BATCH = 32


@dataclass(frozen=True, eq=False)
class Table:
    """Descriptions of pictures with what is known about each; arrays of the same length N.

    Attributes:
        x: float64, (N, D).
        kind, part, group, change: str, (N,), as in `Specimen`.
        chest: bool, (N,).
    """

    x: np.ndarray
    kind: np.ndarray
    chest: np.ndarray
    part: np.ndarray
    group: np.ndarray
    change: np.ndarray

    def where(self, rows: np.ndarray) -> Table:
        """The rows of a boolean mask."""
        return Table(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def tabulate(
    checkpoint: Checkpoint,
    pictures: Iterable[Specimen],
    progress: Callable[[int], None] | None = None,
) -> Table:
    """Describe pictures by a network, in batches.

    Args:
        checkpoint: of the network.
        pictures: in any number; each is let go once it is described.
        progress: called with the number of pictures done.
    """
    x: list = []
    known: list = []
    squares: list = []

    def flush() -> None:
        if not squares:
            return
        stack = np.stack(squares)
        with torch.no_grad():
            features = checkpoint.network.features(checkpoint.preprocessing.tensor(stack))
        x.append(descriptions(features, stack))
        squares.clear()
        if progress:
            progress(len(known))

    for picture in pictures:
        squares.append(checkpoint.preprocessing.square(picture.radiograph.pixels))
        known.append((picture.kind, picture.chest, picture.part, picture.group, picture.change))
        if len(squares) == BATCH:
            flush()
    flush()
    kind, chest, part, group, change = (np.array(column) for column in zip(*known, strict=True))
    return Table(np.concatenate(x), kind, chest, part, group, change)


def fit(checkpoint: Checkpoint, table: Table) -> Guard:
    """Fit a guard on the rows of the part "fit"; the others are not looked at.

    Raises:
        DataError: when there are too few pictures of either sort.
    """
    t = table.where(table.part == FIT)
    ordinary = (t.kind == FILMS) & (t.change == "plain")
    if ordinary.sum() < 20 or (~t.chest).sum() < 20:
        raise DataError(
            f"A guard needs 20 chest films and 20 other pictures at least; there are "
            f"{ordinary.sum()} and {(~t.chest).sum()}."
        )
    z, mean, scale = standardised(t)
    heads = {"chest": fit_chest_head(z, t), **_warning_heads(z, t)}
    return Guard(checkpoint.name, checkpoint.weights_sha256, mean, scale, heads)


def standardised(t: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Descriptions in units of ordinary films' spread: (N, D), and the mean and scale, (D,)."""
    ordinary = (t.kind == FILMS) & (t.change == "plain")
    mean, scale = t.x[ordinary].mean(0), t.x[ordinary].std(0)
    # A feature that hardly moves in ordinary films must not decide alone.
    scale = np.maximum(scale, 0.05 * np.median(scale) + 1e-6)
    return np.clip((t.x - mean) / scale, -8, 8), mean, scale


def fit_chest_head(z: np.ndarray, t: Table) -> Head:
    """The question whether it is a frontal chest film, with a threshold that keeps `REFUSED`."""
    (weights, bias), scores = _linear(z, t.chest, t.group, STRENGTH["chest"])
    limits = []
    for kind, share in REFUSED.items():
        rows = t.chest & (t.kind == kind) & np.isin(t.change, ("plain", "degraded"))
        if rows.any():
            limits.append(np.quantile(scores[rows], share))
    return Head(weights, bias, float(min(limits)))


def _warning_heads(z: np.ndarray, t: Table) -> dict[str, Head]:
    """The heads of the warnings that the pictures at hand allow to be fitted."""
    children, upright = t.kind == FILMS, np.isin(t.change, ("plain", "degraded", "cropped"))
    usual = t.chest & np.isin(t.change, ("plain", "degraded"))
    questions = {  # rows that count, rows where the answer is yes
        **{name: (t.chest, t.change == name) for name in TURNS},
        "mirrored": (t.chest & (upright | (t.change == "mirrored")), t.change == "mirrored"),
        "cropped": (t.chest & upright, t.change == "cropped"),
        "adult": (usual & (children | (t.kind == ADULTS)), t.kind == ADULTS),
    }
    # An upside-down film is one on its head and mirrored.
    rows, yes = questions["turned 180"]
    questions["turned 180"] = (rows, yes | (t.change == "upside-down"))
    heads = {}
    for name, (rows, yes) in questions.items():
        if yes[rows].sum() < FOLDS or (~yes[rows]).sum() < FOLDS:
            continue
        model, scores = _linear(z[rows], yes[rows], t.group[rows], STRENGTH["default"])
        calm = (children & usual & ~yes)[rows]
        heads[name] = Head(*model, float(max(np.quantile(scores[calm], 1 - FALSE_ALARMS), 0.0)))
    squares = z[children & usual] ** 2
    weights = np.full(z.shape[1], 1 / z.shape[1])
    threshold = float(np.quantile(squares @ weights, 1 - FALSE_ALARMS))
    heads["unlike"] = Head(weights, 0.0, threshold)
    return heads


def _linear(
    z: np.ndarray, yes: np.ndarray, groups: np.ndarray, strength: float
) -> tuple[tuple[np.ndarray, float], np.ndarray]:
    """Logistic regression, and the scores of its rows by models that did not see their group."""

    def model() -> LogisticRegression:
        return LogisticRegression(C=strength, class_weight="balanced", max_iter=300)

    scores = np.zeros(len(z))
    for train, rest in GroupKFold(FOLDS).split(z, yes, groups):
        scores[rest] = model().fit(z[train], yes[train]).decision_function(z[rest])
    final = model().fit(z, yes)
    return (final.coef_[0], float(final.intercept_[0])), scores
