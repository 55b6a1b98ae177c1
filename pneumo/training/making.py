"""The films of a step, one by one: drawn, painted or joined, augmented and normalised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pneumo.data.composites import joined
from pneumo.data.memory import Films
from pneumo.data.painting import hide_lungs, replace_surroundings
from pneumo.data.transforms import augment, generator
from pneumo.models.preprocess import Preprocessing
from pneumo.training.recipe import Phase, Recipe

# Lung fields are this much coarser than their films: the finest map that is judged by them is as
# coarse, and the time their pixels take comes off every step.
MASK_COARSER = 4
# Target of a film of two halves: its pneumonia may have been in the half that was replaced.
HALF_ILL = 0.75


def mask_side(size: int) -> int:
    """Side of the lung fields of films of this side."""
    return max(1, size // MASK_COARSER)


@dataclass(frozen=True, eq=False)
class Film:
    """What is known of one film of a step.

    Attributes:
        target: 1 pneumonia, 0 normal, 0.5 where its lungs are hidden, HALF_ILL of two halves.
        lungs: uint8, (S / 4, S / 4), 0 to 255, where its evidence is judged.
        ill: of a film of two halves, those of the lungs that lie in the ill half; as lungs.
    """

    target: float
    lungs: np.ndarray | None = None
    ill: np.ndarray | None = None


class Making:
    """Makes films; what they are depends on the recipe's seed, epoch, step and place alone.

    Args:
        films: in memory.
        recipe: seed and augmentation.
        preprocessing: of the network.
    """

    def __init__(self, films: Films, recipe: Recipe, preprocessing: Preprocessing) -> None:
        self.films, self.recipe, self.preprocessing = films, recipe, preprocessing
        fields = {False: set(films.lungs), True: set(films.lungs) | set(films.found)}
        # Of each class, what halves are taken from, without found lung fields and with them.
        self._others = {
            found: [[i for i in sorted(places - set(films.second)) if films.labels[i] == label]
                    for label in (0, 1)]
            for found, places in fields.items()}

    def __call__(
        self, places: Sequence[int], indices: np.ndarray, epoch: int, step: int, size: int,
        phase: Phase, out: np.ndarray,
    ) -> list[Film]:
        """Make the films at these places of a step.

        Args:
            places: in the step.
            indices: of the films of the whole step.
            epoch, step: counted from 0.
            size: side of the films, pixels.
            phase: how films are painted.
            out: float32, (films of the whole step, size, size), contiguous: the films are put
                there, normalised, each at its place.

        Returns:
            what is known of each.
        """
        made = []
        for place in places:
            rng = generator(self.recipe.seed, epoch, 2, step, place)
            square, film = self._film(int(indices[place]), rng, size, phase)
            self.preprocessing.values(square, out[place])
            made.append(film)
        return made

    def _film(
        self, index: int, rng: np.random.Generator, size: int, phase: Phase
    ) -> tuple[np.ndarray, Film]:
        """One film, its target, and its lungs where its evidence is to be judged."""
        square, target = self.films.squares[index], float(self.films.labels[index])
        lungs, ill = self._lungs(index, phase) if phase.evidence else None, None
        if lungs is not None and (phase.hidden or phase.replaced or phase.halves):
            chance = rng.random()
            if chance < phase.hidden:
                square, target, lungs = hide_lungs(square, lungs, rng), 0.5, None
            elif (chance := chance - phase.hidden) < phase.replaced:
                other = self.films.squares[rng.integers(len(self.films.squares))]
                square = replace_surroundings(square, lungs, other, rng)
            elif chance - phase.replaced < phase.halves:
                square, target, lungs, ill = self._joined(index, square, lungs, phase, rng)
        fields = [field for field in (lungs, ill) if field is not None]
        square, fields = augment(
            square, rng, self.recipe.augmentation, size, fields, mask_side(size))
        return square, Film(target, *fields)

    def _joined(
        self, index: int, square: np.ndarray, lungs: np.ndarray, phase: Phase,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, float, np.ndarray, np.ndarray | None]:
        """The film with one half of another class's, target, lungs, and those of its ill half."""
        label = int(self.films.labels[index])
        others = self._others[phase.found][1 - label]
        if index in self.films.second or not others:
            return square, float(label), lungs, None
        other = others[rng.integers(len(others))]
        both, whole, own = joined(square, lungs, self.films.squares[other],
                                  self._lungs(other, phase), bool(rng.integers(2)))
        return both, HALF_ILL, whole, own if label else cv2.subtract(whole, own)

    def _lungs(self, index: int, phase: Phase) -> np.ndarray | None:
        drawn = self.films.lungs.get(index)
        return self.films.found.get(index) if drawn is None and phase.found else drawn
