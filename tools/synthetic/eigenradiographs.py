"""Eigenradiographs: a statistical model of one class of radiographs, to draw those of nobody from.

Mean and principal components of many hundred radiographs (Turk and Pentland's eigenfaces, 1991). A
sample is the mean plus every component times a Gaussian coefficient, so it is a blend of all
radiographs and a copy of none. The model shows averages of real ones: it is made when it is needed
and never stored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FEWEST = 900
COMPONENTS = 120
SPREAD = 0.8


@dataclass(frozen=True, eq=False)
class EigenRadiographs:
    """Mean and principal components of a set of radiographs.

    Attributes:
        mean: float64, (size * size,), grey levels of 0..255.
        components: float64, (k, size * size), orthonormal, strongest first.
        deviations: float64, (k,), standard deviation of the radiographs along each component.
        count: number of radiographs it was made from.
    """

    mean: np.ndarray
    components: np.ndarray
    deviations: np.ndarray
    count: int

    def sample(self, rng: np.random.Generator, spread: float = SPREAD) -> np.ndarray:
        """Draws one soft radiograph: uint8, size x size.

        Args:
            rng: draws the coefficients.
            spread: standard deviation of the coefficients as a share of that of the radiographs.
        """
        coefficients = spread * self.deviations * rng.standard_normal(len(self.deviations))
        radiograph = self.mean + coefficients @ self.components
        side = round(len(radiograph) ** 0.5)
        return np.clip(np.rint(radiograph), 0, 255).astype(np.uint8).reshape(side, side)


def eigenradiographs(
    squares: np.ndarray, components: int = COMPONENTS, fewest: int = FEWEST
) -> EigenRadiographs:
    """Makes the model of one class.

    Computed in double precision and with fixed signs, so that the same radiographs give the same
    samples, bit for bit, on any number of threads.

    Args:
        squares: uint8, (N, size, size), radiographs of one class.
        components: how many principal components are kept.
        fewest: radiographs needed; with too few a sample would resemble single ones of them.

    Raises:
        ValueError: when there are fewer radiographs than `fewest` or not more than `components`.
    """
    count = len(squares)
    if count < max(fewest, components + 1):
        raise ValueError(
            f"{count} radiographs are too few to draw radiographs of nobody from; at least "
            f"{max(fewest, components + 1)} of one class are needed. Get the whole dataset."
        )
    flat = squares.reshape(count, -1)
    mean = flat.mean(axis=0, dtype=np.float64)
    # They are fewer than their pixels, so the small matrix of their products is taken apart.
    products = np.zeros((count, count))
    chunks = np.array_split(np.arange(flat.shape[1]), max(1, flat.shape[1] // 4096))
    for columns in chunks:
        part = flat[:, columns] - mean[columns]
        products += part @ part.T
    strengths, directions = np.linalg.eigh(products)
    strengths, directions = strengths[::-1][:components], directions[:, ::-1][:, :components]
    largest = directions[np.abs(directions).argmax(axis=0), range(components)]
    directions = directions * np.sign(largest)
    strengths = np.maximum(strengths, 1e-9)
    found = np.hstack([directions.T @ (flat[:, c] - mean[c]) for c in chunks])
    return EigenRadiographs(
        mean, found / np.sqrt(strengths)[:, None], np.sqrt(strengths / count), count
    )
