"""Training images: what changes them, what is known of them, and that a seed repeats them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pneumo.data.memory import Images
from pneumo.models.preprocess import Preprocessing
from pneumo.training.loader import EpochSampler, TrainingImages
from pneumo.training.recipe import Recipe

PLAIN = Recipe(
    "cnn",
    size=96,
    epochs=1,
    learning_rate=1e-3,
    batch=8,
    crop=1.0,
    composite_p=0.0,
    opacity_p=0.0,
    lung_mask_p=0.0,
    background_swap_p=0.0,
)


@pytest.fixture(scope="module")
def images() -> Images:
    """Forty images with two lungs each: dark in normal ones, bright in pneumonias."""
    labels = np.arange(40) % 2
    squares = np.full((40, 96, 96), 180, np.uint8)
    lungs = np.zeros((40, 96, 96), np.uint8)
    lungs[:, 16:80, 10:40] = lungs[:, 16:80, 56:86] = 255
    squares[lungs > 0] = np.repeat(np.where(labels, 130, 40), 2 * 64 * 30)
    return Images(squares, labels, lungs)


def items(images: Images, **changes: float) -> list[dict[str, torch.Tensor]]:
    recipe = replace(PLAIN, **changes)
    made = TrainingImages(images, recipe, Preprocessing(96))
    return [made[key] for key in EpochSampler(images.labels, recipe)]


def test_an_epoch_draws_the_share_of_normals_asked_for(images):
    drawn = [images.labels[index] for _, _, index in EpochSampler(images.labels, PLAIN)]
    assert len(drawn) == 40
    assert np.mean(drawn) == pytest.approx(1 - PLAIN.normal_share, abs=0.02)


def test_processes_share_an_epoch_without_overlap(images):
    whole = list(EpochSampler(images.labels, PLAIN))
    parts = [list(EpochSampler(images.labels, PLAIN, rank, 2)) for rank in (0, 1)]
    assert sorted(parts[0] + parts[1]) == sorted(whole)


def test_the_same_place_gives_the_same_image_and_another_epoch_another(images):
    made = TrainingImages(images, replace(PLAIN, crop=0.4), Preprocessing(96))
    assert torch.equal(made[0, 3, 5]["image"], made[0, 3, 5]["image"])
    assert not torch.equal(made[0, 3, 5]["image"], made[1, 3, 5]["image"])


def test_plain_images_keep_their_label_and_evidence_may_lie_in_the_lungs(images):
    for item in items(images):
        assert item["image"].shape == (1, 96, 96)
        assert item["target"] in (0, 1)
        assert 0.2 < item["allowed"].mean() < 0.7
        assert not item["disease"].any() and not item["healthy"].any()


def test_composites_know_the_diseased_and_the_healthy_lung(images):
    known = [item for item in items(images, composite_p=1.0) if item["healthy"].any()]
    assert len(known) >= 15
    for item in known:
        assert item["target"] == pytest.approx(PLAIN.composite_target)
        assert not (item["disease"] * item["healthy"]).max() > 0.5
        cells = torch.nn.functional.avg_pool2d(item["image"], 16)[0]
        diseased, healthy = (
            (cells * item[name]).sum() / item[name].sum() for name in ("disease", "healthy")
        )
        assert diseased > healthy


def test_inserted_opacities_turn_normals_into_positives_of_known_place(images):
    changed = items(images, opacity_p=1.0, normal_share=0.9)
    positive = [item for item in changed if item["disease"].any()]
    assert positive
    assert all(item["target"] == 1 for item in positive if item["disease"].max() >= 0.25)


def test_masked_lungs_have_the_label_one_half(images):
    assert {float(item["target"]) for item in items(images, lung_mask_p=1.0)} == {0.5}
