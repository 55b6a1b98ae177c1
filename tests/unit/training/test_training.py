"""What trains a network, piece by piece: recipes, images, losses and the state of a run."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pneumo.data.memory import Images
from pneumo.data.synthetic_adults import synthetic_adults
from pneumo.models.preprocess import Preprocessing
from pneumo.training.initial import InitialError, start
from pneumo.training.loader import EpochSampler, TrainingImages
from pneumo.training.losses import location_loss, map_loss, outside_share, side_loss
from pneumo.training.recipe import Recipe, RecipeError, load_recipe
from pneumo.training.state import StateError, read_state, write_state

PLAIN = Recipe(
    "cnn", size=96, epochs=1, learning_rate=1e-3, batch=8, crop=1.0, composite_p=0.0,
    opacity_p=0.0, lung_mask_p=0.0, background_swap_p=0.0,
)  # fmt: skip
LEFT = torch.zeros(1, 8, 8)
LEFT[..., 1:3] = 1
RIGHT = LEFT.flip(-1)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("densenet", {}, "densenet"),
        ("cnn", {"speed": "3"}, "no value 'speed'"),
        ("cnn", {"epochs": "many"}, "epochs should be"),
        ("cnn", {"epochs": "2.5"}, "epochs should be"),
        ("cnn", {"composite_p": "1.5"}, "composite_p should be"),
        ("cnn", {"frozen": "conv1"}, "frozen should be"),
        ("cnn", {"frozen": "[conv1"}, "no YAML"),
        ("cnn", {"composite_p": "0.9", "opacity_p": "0.9"}, "more than 1"),
    ],
)
def test_a_wrong_recipe_is_named(name, change, words):
    with pytest.raises(RecipeError, match=words):
        load_recipe(name, change)


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


def test_an_epoch_draws_the_share_of_normals_and_processes_divide_it(images):
    whole = list(EpochSampler(images.labels, PLAIN))
    drawn = [images.labels[index] for _, _, index in whole]
    assert len(drawn) == 40
    assert np.mean(drawn) == pytest.approx(1 - PLAIN.normal_share, abs=0.02)
    parts = [list(EpochSampler(images.labels, PLAIN, rank, 2)) for rank in (0, 1)]
    assert sorted(parts[0] + parts[1]) == sorted(whole)


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


def test_opacities_turn_normals_into_positives_of_known_place_and_hidden_lungs_into_halves(images):
    changed = items(images, opacity_p=1.0, normal_share=0.9)
    positive = [item for item in changed if item["disease"].any()]
    assert positive
    assert all(item["target"] == 1 for item in positive if item["disease"].max() >= 0.25)
    sided = [item for item in positive if item["healthy"].any()]
    assert sided and all((item["disease"] * item["healthy"]).max() < 0.5 for item in sided)
    assert {float(item["target"]) for item in items(images, lung_mask_p=1.0)} == {0.5}


def test_synthetic_adults_take_the_place_of_normals_and_half_have_an_opacity(images):
    drawn = synthetic_adults()
    with_adults = replace(images, adults=(drawn, np.full_like(drawn, 255)))
    found = items(with_adults, adult_p=1.0, normal_share=0.9)
    assert 0.2 < np.mean([bool(item["disease"].any()) for item in found]) < 0.7
    assert 0.2 < np.mean([float(item["target"]) for item in found]) < 0.8


def test_losses_fall_when_evidence_moves_to_where_the_disease_is():
    lungs, right, wrong = LEFT + RIGHT, LEFT - RIGHT, RIGHT - LEFT
    assert outside_share(LEFT * 3 - RIGHT, lungs) < 1e-4
    torch.testing.assert_close(outside_share(LEFT * 3 - RIGHT, LEFT), torch.tensor(0.25))
    assert location_loss(right, LEFT, lungs) < location_loss(wrong, LEFT, lungs)
    torch.testing.assert_close(side_loss(lungs, LEFT, RIGHT), torch.tensor(2.0).log())
    assert side_loss(right, LEFT, RIGHT) < 0.1
    logit, other = right.sum((1, 2)) + 1, wrong.sum((1, 2)) + 1
    assert map_loss(logit, right, logit, right) == 0
    assert map_loss(other, wrong, logit, right) > map_loss(logit, right * 0.9, logit, right) > 0


@pytest.mark.parametrize("damage", ["empty", "short", "flipped"])
def test_a_state_comes_back_and_a_damaged_one_is_found(tmp_path, damage):
    path, recipe = tmp_path / "state.pt", {"epochs": 3}
    write_state(path, {"recipe": recipe, "weights": torch.ones(3)})
    assert torch.equal(read_state(path, recipe)["weights"], torch.ones(3))
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    path.write_bytes({"empty": b"", "short": bytes(data[:200]), "flipped": bytes(data)}[damage])
    with pytest.raises(StateError, match="damaged"):
        read_state(path, recipe)


def test_another_recipe_and_no_state_are_named(tmp_path):
    write_state(tmp_path / "state.pt", {"recipe": {"epochs": 3}})
    with pytest.raises(StateError, match="epochs"):
        read_state(tmp_path / "state.pt", {"epochs": 4})
    with pytest.raises(StateError, match="no run to resume"):
        read_state(tmp_path / "nowhere.pt", {"epochs": 3})


def test_training_starts_from_bundled_weights_a_file_or_nothing(tmp_path):
    bundled, initial = start("resnet18", None, 0)
    assert "layer3" in initial.pretrained and "fc" not in initial.pretrained
    torch.save(bundled.state_dict(), tmp_path / "own.pth")
    again, initial = start("resnet18", str(tmp_path / "own.pth"), 1)
    assert torch.equal(again.fc.weight, bundled.fc.weight) and "fc" in initial.pretrained
    assert start("resnet18", "scratch", 0)[1].pretrained == ()
    (tmp_path / "broken.pth").write_bytes(b"x")
    for wrong in (tmp_path / "none.pth", tmp_path / "broken.pth"):
        with pytest.raises(InitialError):
            start("resnet18", str(wrong), 0)
