"""The images of a training epoch: drawn, changed, augmented and normalised, for a DataLoader."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from pneumo.data.composites import composite
from pneumo.data.lung_masking import mask_lungs, swap_background
from pneumo.data.memory import Images
from pneumo.data.transforms import Augmentation, augment, generator
from pneumo.imaging.opacity import insert_opacity
from pneumo.models.lungs import both_lungs
from pneumo.models.preprocess import Preprocessing
from pneumo.training.recipe import Recipe

# Masks are this much coarser than their images, as the feature maps they are compared with are.
MASK_STRIDE = 16
# Share of composites whose two hemithoraces have different labels.
OPPOSITE = 0.75
# Share of composites in which a band of a hemithorax is replaced, not all of it.
BANDS = 0.6


class EpochSampler(Sampler[tuple[int, int, int]]):
    """Draws (epoch, place, index): as many as there are images, `normal_share` of them NORMAL.

    Every image of a class is drawn before one is drawn again. One of several processes draws every
    n-th of the same order.
    """

    def __init__(
        self, labels: np.ndarray, recipe: Recipe, rank: int = 0, processes: int = 1
    ) -> None:
        self.labels, self.recipe, self.rank, self.processes = labels, recipe, rank, processes
        self.epoch = 0

    def __len__(self) -> int:
        steps = len(self.labels) // self.recipe.batch
        return steps * self.recipe.batch // self.processes

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        rng = generator(self.recipe.seed, self.epoch, 1)
        total = len(self) * self.processes
        normal = round(self.recipe.normal_share * total)
        picks = []
        for label, count in ((0, normal), (1, total - normal)):
            pool = np.flatnonzero(self.labels == label)
            rounds = -(-count // len(pool))
            picks.append(np.concatenate([rng.permutation(pool) for _ in range(rounds)])[:count])
        order = rng.permutation(np.concatenate(picks))
        for place in range(self.rank, total, self.processes):
            yield self.epoch, place, int(order[place])


class TrainingImages(Dataset):
    """One changed and augmented image for each (epoch, place, index) and the recipe's seed.

    An item is a dict of tensors:
        image: float32, (1, S, S), normalised.
        target: float32, 1 pneumonia, 0 normal, 0.5 where the lungs are hidden.
        allowed: float32, (S / 16, S / 16), share of each cell where evidence may lie (the lungs);
            all 1 where it is not judged.
        disease: the same, where all disease lies; all 0 where that is not known.
        healthy: the normal lung, where all disease lies in the other one and is known; else all 0.
    """

    def __init__(self, images: Images, recipe: Recipe, preprocessing: Preprocessing) -> None:
        self.images, self.recipe, self.preprocessing = images, recipe, preprocessing
        self.augmentation = Augmentation(
            crop=recipe.crop, wide=recipe.wide_p, local=recipe.local_contrast_p
        )
        found = np.array([lungs.any() for lungs in images.lungs])
        self._pools = [np.flatnonzero(found & (images.labels == label)) for label in (0, 1)]
        cv2.setNumThreads(1)  # workers are processes

    def __len__(self) -> int:
        return len(self.images.labels)

    def __getitem__(self, key: tuple[int, int, int]) -> dict[str, torch.Tensor]:
        epoch, place, index = key
        recipe, images = self.recipe, self.images
        rng = generator(recipe.seed, epoch, 2, place)
        image, lungs = images.squares[index], images.lungs[index]
        label = int(images.labels[index])
        target = float(label)
        nothing = np.zeros_like(lungs)
        disease, healthy, judged = nothing, nothing, lungs.any()
        if images.adults is not None and not label and rng.random() < recipe.adult_p:
            drawn, fields = images.adults
            number = int(rng.integers(len(drawn)))
            image, lungs, judged = drawn[number], fields[number], True
            nothing = disease = healthy = np.zeros_like(lungs)
            if rng.random() < 0.5:
                image, disease = self._with_opacity(image, lungs, rng)
                target = float(disease.any())
        elif judged:
            change = rng.random()
            if (change := change - recipe.composite_p) < 0:
                image, target, lungs, disease, healthy = self._composite(index, rng)
            elif (change := change - recipe.opacity_p) < 0:
                if not label:
                    image, disease = self._with_opacity(image, lungs, rng)
                    if disease.any():
                        target = 1.0
            elif (change := change - recipe.lung_mask_p) < 0:
                image, target, judged = mask_lungs(image, lungs, rng), 0.5, False
            elif change - recipe.background_swap_p < 0:
                other = images.squares[rng.integers(len(images.squares))]
                image = swap_background(image, lungs, other, rng)
        disease_known = bool(disease.any())
        if disease_known and not healthy.any():
            healthy = _other_lung(lungs, disease)
        cells = recipe.size // MASK_STRIDE
        image, masks = augment(
            image, rng, self.augmentation, recipe.size, [lungs, disease, healthy], 4 * cells
        )
        allowed, disease, healthy = (
            cv2.resize(mask, (cells, cells), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
            for mask in masks
        )
        if disease_known and disease.max() < 0.25:  # cropped out of view
            target = 0.0
        if not judged:
            allowed = np.ones_like(allowed)
        return {
            "image": self.preprocessing.tensor(image)[0],
            "target": torch.tensor(target, dtype=torch.float32),
            "allowed": torch.from_numpy(allowed),
            "disease": torch.from_numpy(disease),
            "healthy": torch.from_numpy(healthy),
        }

    def _composite(
        self, index: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, float, np.ndarray, np.ndarray, np.ndarray]:
        """Image, target, lungs, diseased lung and healthy lung of a composite."""
        images, label = self.images, int(self.images.labels[index])
        other_label = 1 - label if rng.random() < OPPOSITE else label
        other = int(rng.choice(self._pools[other_label]))
        band = None
        if rng.random() < BANDS:
            height = rng.uniform(0.3, 0.65)
            top = rng.uniform(0, 1 - height)
            band = (float(top), float(top + height))
        image, lungs, kept = composite(
            images.squares[index],
            images.lungs[index],
            images.squares[other],
            images.lungs[other],
            bool(rng.integers(2)),
            band,
        )
        nothing = np.zeros_like(lungs)
        if other_label == label:
            return image, float(label), lungs, nothing, nothing
        moved = cv2.subtract(lungs, kept)
        disease, healthy = (kept, moved) if label else (moved, kept)
        return image, self.recipe.composite_target, lungs, disease, healthy

    def _with_opacity(
        self, image: np.ndarray, lungs: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """A normal radiograph with one or two inserted opacities in its lungs, and their place."""
        rows, columns = np.nonzero(lungs)
        seen = np.zeros(lungs.shape, bool)
        for _ in range(1 + (rng.random() < 0.25)):
            place = rng.integers(len(rows))
            side = len(lungs)
            image, mask = insert_opacity(
                image,
                (float(columns[place]), float(rows[place])),
                float(np.exp(rng.uniform(np.log(0.05), np.log(0.17)))) * side,
                float(rng.uniform(0.45, 1.0)),
                rng,
            )
            seen |= mask
        return image, (seen * 255).astype(np.uint8)


def _other_lung(lungs: np.ndarray, disease: np.ndarray) -> np.ndarray:
    """The lung without disease, uint8 (S, S), 0 or 255; all 0 where neither is or none is found."""
    for lung in both_lungs(lungs) or ():
        if not disease[lung].any():
            return (lung * 255).astype(np.uint8)
    return np.zeros_like(lungs)
