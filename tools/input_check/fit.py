"""Fits the input check: linear discriminants (Fisher 1936) and principal components.

Chest radiographs and everything else are told apart by least squares on the descriptions of
`pneumo.reading.descriptor`, and by the distance from the principal components of chest radiographs,
in which no other image takes part.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold

from pneumo.reading.descriptor import LENGTH, mirrored, turned
from pneumo.reading.input_check import (
    FORMAT,
    UNIT,
    ChestProbe,
    InputCheck,
    InputCheckFile,
    LinearProbe,
    Subspace,
)
from tools.input_check.images import DRAWN, MADE
from tools.input_check.material import ADULTS, CHILDREN, Material

ADULT_FOLDS = 5  # thresholds for adults are those of fits without the patient
RIDGE = 0.1  # added to the variance of every standardised number
TURNED_SHARE, DRAWN_SHARE = 0.25, 0.5  # of what is not an upright chest; of the other images
ADULT_SHARE, ADULT_CROPS = 0.5, 0.3  # of what is; of the cropped radiographs
COMPONENTS = 32
# Thresholds: shares of the second fold's children, and of the adults, that may lie beyond; both
# with their degraded copies; the distance of children with reframed ones as well.
REFUSED = {"chest": {CHILDREN: 0.008, ADULTS: 0.025}, "usual": {CHILDREN: 0.002, ADULTS: 0.015}}
FALSE_ALARMS = {"adult": 0.02, "cropped": 0.015, "mirrored": 0.02}
DIGITS = 4  # of what is stored


class Fit:
    """The discriminants of one material; second moments are computed once."""

    def __init__(self, material: Material) -> None:
        mean, scale = _standards(np.concatenate([material.children, material.adults]))
        blank = LinearProbe((0.0,) * LENGTH, 0.0, 0.0)
        counts = {kind: len(z) for kind, z in material.others.items()}
        self._empty = InputCheckFile(
            format=FORMAT,
            fitted_on={CHILDREN: len(material.children), ADULTS: len(material.adults)} | counts,
            mean=_rounded(mean),
            scale=_rounded(scale),
            chest=ChestProbe(blank.weights, 0.0, 0.0, 0.0),
            usual=Subspace(blank.weights, ((0,) * LENGTH,), 0.0, 0.0),
            adult=blank,
            cropped=blank,
            mirrored=blank,
        )
        standard = InputCheck(self._empty).standardised
        self._calibration = standard(material.calibration)
        self._frames = standard(material.frames)
        self._children = _moments(standard(material.children))
        self._others = {kind: _moments(standard(z)) for kind, z in material.others.items()}
        self._crops = _mixed(
            _moments(standard(material.crops)),
            _moments(standard(material.adult_crops)),
            ADULT_CROPS,
        )
        grown = standard(material.adults)
        self._adults = _moments(grown)
        # For thresholds: adults with the moments of the others, who are other patients.
        folds = GroupKFold(ADULT_FOLDS).split(grown, groups=material.adult_groups)
        self._folds = [(grown[rest], _moments(grown[rows])) for rows, rest in folds]

    def file(self) -> InputCheckFile:
        """The input check, not yet measured."""
        return replace(
            self._empty,
            chest=self.chest(),
            usual=self._usual(),
            adult=self._with_threshold("adult", _probe(self._adults, self._children)),
            cropped=self._cropped(),
            mirrored=self._with_threshold("mirrored", _mirror_probe(self._children)),
        )

    def chest(self, without: str = "") -> ChestProbe:
        """The probe that refuses, fitted without a kind of other images."""
        kinds = [kind for kind in self._others if kind != without]
        made = [kind for kind in kinds if kind in DRAWN or kind in MADE]
        real, synthetic = (
            np.mean([self._others[kind] for kind in part], axis=0)
            for part in ([kind for kind in kinds if kind not in made], made)
        )
        other = _mixed(real, synthetic, DRAWN_SHARE)

        def probe(adults: np.ndarray) -> LinearProbe:
            chest = _mixed(self._children, adults, ADULT_SHARE)
            turns = [_permuted(chest, partial(turned, quarters=q)) for q in (1, 2, 3)]
            return _probe(chest, _mixed(other, np.mean(turns, axis=0), TURNED_SHARE))

        apart = [self._score("chest", probe(rest), z) for z, rest in self._folds]
        final, limits = probe(self._adults), REFUSED["chest"]
        children = self._score("chest", final, self._calibration)
        return ChestProbe(
            final.weights,
            final.bias,
            threshold=_number(np.quantile(np.concatenate(apart), limits[ADULTS])),
            child_threshold=_number(np.quantile(children, limits[CHILDREN])),
        )

    def _usual(self) -> Subspace:
        def subspace(adults: np.ndarray) -> Subspace:
            moments = _mixed(self._children, adults, ADULT_SHARE)
            center = moments[-1, :-1]
            _, vectors = np.linalg.eigh(moments[:-1, :-1] - np.outer(center, center))
            rows = np.rint(UNIT * vectors.T[::-1][:COMPONENTS]).astype(int).tolist()
            return Subspace(_rounded(center), tuple(map(tuple, rows)), 0.0, 0.0)

        def distances(usual: Subspace, z: np.ndarray) -> np.ndarray:
            return InputCheck(replace(self._empty, usual=usual)).distance(z)

        apart = [distances(subspace(rest), z) for z, rest in self._folds]
        final, limits = subspace(self._adults), REFUSED["usual"]
        children = distances(final, np.concatenate([self._calibration, self._frames]))
        return replace(
            final,
            limit=_number(np.quantile(np.concatenate(apart), 1 - limits[ADULTS])),
            child_limit=_number(np.quantile(children, 1 - limits[CHILDREN])),
        )

    def _cropped(self) -> LinearProbe:
        def probe(adults: np.ndarray) -> LinearProbe:
            return _probe(self._crops, _mixed(self._children, adults, ADULT_CROPS))

        apart = [self._score("cropped", probe(rest), z) for z, rest in self._folds]
        found = self._with_threshold("cropped", probe(self._adults))
        adults = np.quantile(np.concatenate(apart), 1 - FALSE_ALARMS["cropped"])
        return replace(found, threshold=max(found.threshold, _number(adults)))

    def _with_threshold(self, name: str, probe: LinearProbe) -> LinearProbe:
        scores = self._score(name, probe, self._calibration)
        return replace(probe, threshold=_number(np.quantile(scores, 1 - FALSE_ALARMS[name])))

    def _score(self, name: str, probe: LinearProbe, z: np.ndarray) -> np.ndarray:
        probes: dict[str, Any] = {name: probe}
        return InputCheck(replace(self._empty, **probes)).score(name, z)


def _mixed(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    return (1 - share) * one + share * other


def _standards(described: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and scale over all eight positions, so that turning a description needs no other."""
    mean, variance = described.mean(0)[None], described.var(0)[None]
    poses = [turn for v in (mean, mirrored(mean)) for turn in _turns(v)]
    spread = [turn for v in (variance, mirrored(variance)) for turn in _turns(v)]
    middle = np.mean(poses, axis=0)
    scale = np.sqrt(np.mean([v + (m - middle) ** 2 for m, v in zip(poses, spread, strict=True)], 0))
    # A number that hardly moves in chest radiographs must not decide alone.
    return middle[0], scale[0] + 0.02 * scale.mean()


def _turns(described: np.ndarray) -> list[np.ndarray]:
    return [turned(described, quarters) for quarters in range(4)]


def _moments(z: np.ndarray) -> np.ndarray:
    """Means of all products of two numbers, the last of which is 1: (LENGTH + 1, LENGTH + 1)."""
    with_one = np.hstack([z, np.ones((len(z), 1), np.float32)])
    return (with_one.T @ with_one).astype(np.float64) / len(z)


def _order(how: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return np.append(how(np.arange(LENGTH)[None])[0], LENGTH)


def _permuted(moments: np.ndarray, how: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The moments of the same images turned or mirrored."""
    order = _order(how)
    return moments[np.ix_(order, order)]


def _probe(yes: np.ndarray, no: np.ndarray) -> LinearProbe:
    """Least squares from descriptions to +1 and -1, both sides weighted alike, with a ridge."""
    ridge = RIDGE * np.diag(np.append(np.ones(LENGTH), 0))
    solution = np.linalg.solve(yes + no + ridge, yes[-1] - no[-1])
    return LinearProbe(_rounded(solution[:-1]), _number(solution[-1]), 0.0)


def _mirror_probe(moments: np.ndarray) -> LinearProbe:
    """The same for mirrored against not, of descriptions less those of the mirrored images."""
    order = _order(mirrored)
    difference = moments - moments[order] - moments[:, order] + moments[np.ix_(order, order)]
    middle = (moments[order] - moments)[:-1, -1]
    solution = np.linalg.solve(difference[:-1, :-1] + RIDGE * np.eye(LENGTH), middle)
    return LinearProbe(_rounded(solution), 0.0, 0.0)


def _rounded(values: Iterable[float] | Sequence[float]) -> tuple[float, ...]:
    return tuple(map(_number, values))


def _number(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
