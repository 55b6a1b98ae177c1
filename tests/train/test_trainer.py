"""The training loop: it learns, it freezes what it says, and a kill costs nothing but time."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from pneumo.data.dataset import films, labels, load_squares, validation_split
from pneumo.data.memory import Films, epoch_order, logits
from pneumo.models.preprocess import Preprocessing
from pneumo.training.evidence_loss import evidence_in_wrong_half, evidence_misplaced
from pneumo.training.initial import InitialError, start
from pneumo.training.recipe import Recipe, phases
from pneumo.training.state import ResumeError
from pneumo.training.trainer import Trainer

SIZE = 64


@pytest.fixture(scope="module")
def parts(drawn_dataset) -> tuple[Films, Films]:
    """Training and validation films in memory, every third training film with a lung mask."""
    preprocessing = Preprocessing(SIZE)
    result = []
    for table in validation_split(films(drawn_dataset, "train"), folds=4):
        mask = np.zeros((SIZE, SIZE), np.uint8)
        mask[10:50, 8:56] = 255
        lungs = dict.fromkeys(range(0, len(table), 3), mask)
        result.append(Films(load_squares(table, preprocessing), labels(table), lungs))
    return tuple(result)


def recipe(model: str = "cnn", **values) -> Recipe:
    defaults = {"epochs": 3, "size": SIZE, "batch": 16, "folds": 4, "learning_rate": 1e-3,
                "low_size": 48, "low_epochs": 1, "evidence": 0.5, "unfreeze": "all"}
    return Recipe(model, **{**defaults, **values})


def trainer(parts, spec: Recipe, state=None, init="scratch") -> Trainer:
    network, initial = start(spec.model, init, spec.seed)
    return Trainer(network, spec, initial.fresh_modules, *parts, Preprocessing(SIZE), state,
                   log=lambda line: None)


@pytest.mark.parametrize("model", ["cnn", "resnet18"])
def test_interrupted_and_resumed_run_ends_with_the_same_weights(parts, tmp_path, model):
    spec = recipe(model, batch=24, epochs=2 if model == "resnet18" else 3)
    whole = trainer(parts, spec, tmp_path / "whole.pt").run()
    trainer(parts, spec, tmp_path / "state.pt").run(stop_after=1)
    second = trainer(parts, spec, tmp_path / "state.pt")
    second.resume()
    assert second.epoch == 1
    assert [one["after_epoch"] for one in second.sittings] == [0, 1]
    resumed = second.run()
    for (name, a), b in zip(whole.state_dict().items(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    assert len(second.history) == spec.epochs


def test_interrupted_between_phases(parts, tmp_path):
    # A state dict with everything but layer4 and the head: two phases for ResNet-18.
    full = start("resnet18", "scratch", 3)[0].state_dict()
    part = {k: v for k, v in full.items() if not k.startswith(("layer4", "fc"))}
    torch.save(part, tmp_path / "trunk.pth")
    spec = recipe("resnet18", epochs=1, frozen_epochs=1, low_epochs=2, batch=24)
    init = str(tmp_path / "trunk.pth")
    whole = trainer(parts, spec, None, init).run()
    trainer(parts, spec, tmp_path / "state.pt", init).run(stop_after=1)
    second = trainer(parts, spec, tmp_path / "state.pt", init)
    second.resume()
    resumed = second.run()
    assert all(torch.equal(a, b) for a, b in
               zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True))


def test_first_phase_trains_the_head_and_what_is_fresh_alone(parts, tmp_path):
    full = start("resnet18", "scratch", 3)[0].state_dict()
    trunk = {k: v for k, v in full.items() if not k.startswith(("layer4.1.conv1", "fc"))}
    torch.save(trunk, tmp_path / "trunk.pth")
    spec = recipe("resnet18", epochs=0, frozen_epochs=1, low_epochs=1, ema=0.0, batch=24)
    run = trainer(parts, spec, None, str(tmp_path / "trunk.pth"))
    assert [p.frozen for p in run.phases] == [("conv1", "bn1", "layer1", "layer2", "layer3")]
    trained = run.run().state_dict()
    changed = {k.split(".")[0] for k, v in trained.items() if not torch.equal(v, full[k])}
    assert changed == {"layer4", "fc"}


def test_phases_of_a_recipe():
    spec = Recipe("resnet18", epochs=4, frozen_epochs=2, unfreeze="layer4")
    first, second = phases(spec, ("layer4", "fc"))
    assert (first.epochs, second.epochs) == (2, 4)
    assert first.learning_rate > second.learning_rate
    assert second.frozen == ("conv1", "bn1", "layer1", "layer2", "layer3")
    assert phases(Recipe("resnet18", unfreeze="all"), ("fc",))[-1].frozen == ()
    assert [p.frozen for p in phases(Recipe("cnn", frozen_epochs=2), ())] == [()]
    with pytest.raises(ValueError, match="--unfreeze takes all, conv1"):
        phases(Recipe("resnet18", unfreeze="layer9"), ())


def test_the_trunk_trains_at_its_share_of_the_rate(parts, tmp_path):
    start_weights = start("resnet18", "scratch", 3)[0].state_dict()
    trunk = {k: v for k, v in start_weights.items() if not k.startswith(("layer4", "fc"))}
    torch.save(trunk, tmp_path / "trunk.pth")
    far = {}
    for rate in (0.0, 0.1, 1.0):
        spec = recipe("resnet18", epochs=1, frozen_epochs=0, low_epochs=1, ema=0.0, batch=24,
                      weight_decay=0.0, trunk_rate=rate)
        run = trainer(parts, spec, None, str(tmp_path / "trunk.pth"))
        assert set(run.phases[0].slow) == {"conv1", "bn1", "layer1", "layer2", "layer3"}
        trained = dict(run.run().named_parameters())
        far[rate] = (trained["layer3.0.conv1.weight"] - trunk["layer3.0.conv1.weight"]).norm()
        assert not torch.equal(trained["layer4.0.conv1.weight"],
                               start_weights["layer4.0.conv1.weight"])
    assert far[0.0] == 0 < 4 * far[0.1] < far[1.0]


def test_what_has_no_starting_weights_trains_at_the_full_rate_and_biases_do_not_decay(parts):
    run = trainer(parts, recipe("resnet18", epochs=1, frozen_epochs=0, trunk_rate=0.1), None)
    run.run(stop_after=1)  # from scratch: there is no trunk to keep
    assert [group["initial_lr"] for group in run.optimiser.param_groups] == [
        run.optimiser.param_groups[0]["initial_lr"]] * 2
    for group in run.optimiser.param_groups:
        assert {weight.ndim > 1 for weight in group["params"]} == {group["weight_decay"] > 0}


def test_adults_are_shown_where_the_recipe_says():
    spec = Recipe("resnet18", frozen_epochs=1, lung_epochs=1, adults=0.3, early_adults=0.2)
    shares = {phase.name: phase.adults for phase in phases(spec, ("fc",))}
    assert shares == {"head": 0.0, "fine-tuning": 0.2, "lungs": 0.3}


def test_films_are_painted_where_the_recipe_says():
    spec = Recipe("resnet18", frozen_epochs=1, lung_epochs=1, evidence=1.0, hidden=0.3,
                  early_hidden=0.1, early_replaced=0.2)
    head, fine, lungs = phases(spec, ("fc",))
    assert (head.hidden, head.replaced, head.found) == (0.0, 0.0, False)
    assert (fine.hidden, fine.replaced, fine.found) == (0.1, 0.2, True)
    assert (lungs.hidden, lungs.replaced, lungs.found) == (0.3, 0.25, True)
    assert not phases(replace(spec, early_hidden=0.0, early_replaced=0.0), ("fc",))[1].found


def test_halves_are_joined_in_the_lung_epochs_alone():
    spec = Recipe("resnet18", frozen_epochs=1, lung_epochs=1, halves=0.3, sides=0.5, keep=0.8)
    assert [(p.halves, p.sides * p.halves, p.keep) for p in phases(spec, ("fc",))] == [
        (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.3, 0.15, 0.8)]
    with pytest.raises(ValueError, match="give one"):
        replace(spec, distil=0.5)


def test_lung_epochs_learn_from_the_network_before_them_and_still_do_when_resumed(parts, tmp_path):
    spec = recipe(epochs=1, low_epochs=0, lung_epochs=2, keep=1.0, halves=0.3, lung_evidence=1e-6,
                  sides=1e-6, hidden=0.0, lung_learning_rate=2e-3)
    whole = trainer(parts, spec, tmp_path / "whole.pt")
    taught = whole.run().state_dict()
    trainer(parts, spec, tmp_path / "state.pt").run(stop_after=2)
    second = trainer(parts, spec, tmp_path / "state.pt")
    second.resume()
    assert all(torch.equal(second.earlier[name], value) for name, value in whole.earlier.items())
    resumed = second.run().state_dict()
    assert all(torch.equal(value, resumed[name]) for name, value in taught.items())
    # A label of one's own instead of the films': less is forgotten.
    free = trainer(parts, replace(spec, keep=0.0)).run()
    before = start("cnn", "scratch", 0)[0]
    before.load_state_dict(whole.earlier)
    first = logits(before, parts[1].squares, Preprocessing(SIZE))
    gaps = []
    for weights in (taught, free.state_dict()):
        before.load_state_dict(weights)
        gaps.append(np.abs(logits(before, parts[1].squares, Preprocessing(SIZE)) - first).mean())
    assert gaps[0] < gaps[1]


def test_lung_epochs_start_from_the_averaged_weights(parts, tmp_path):
    spec = recipe(epochs=1, low_epochs=0, ema=0.9, lung_epochs=1, lung_learning_rate=1e-12)
    assert [p.name for p in phases(spec, ())] == ["fine-tuning", "lungs"]
    run = trainer(parts, spec, tmp_path / "state.pt")
    after_first = {k: v.clone() for k, v in run.run(stop_after=1).named_parameters()}
    network = run.run()
    for name, value in network.named_parameters():  # a rate of nothing moves nothing
        assert torch.allclose(value, after_first[name], atol=1e-6), name
    assert run.history[-1]["evidence_misplaced"] > 0


def test_the_final_weights_keep_the_share_that_is_asked_of_those_before_the_lung_epochs(parts,
                                                                                         tmp_path):
    spec = recipe(epochs=1, low_epochs=0, ema=0.5, lung_epochs=2, lung_learning_rate=1e-2,
                  before_lungs=0.25)
    before = trainer(parts, replace(spec, lung_epochs=0)).run().state_dict()
    after = trainer(parts, replace(spec, before_lungs=0.0)).run().state_dict()
    trainer(parts, spec, tmp_path / "state.pt").run(stop_after=2)  # stopped among the lung epochs
    run = trainer(parts, spec, tmp_path / "state.pt")
    run.resume()
    for _ in range(2):  # asking again blends no further
        for name, value in run.run().state_dict().items():
            if value.is_floating_point():
                expected = 0.25 * before[name] + 0.75 * after[name]
                assert torch.allclose(value, expected, atol=1e-6), name
    assert not torch.allclose(before["block1.1.weight"], after["block1.1.weight"], atol=1e-3)


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_that_is_none_is_refused_before_training(parts, share):
    with pytest.raises(ValueError, match="--before-lungs takes a share from 0 to 1"):
        trainer(parts, recipe(before_lungs=share))


@pytest.mark.parametrize("model", ["cnn", "resnet18"])
def test_a_seed_gives_the_same_weights(parts, model, monkeypatch):
    # An epoch as usual and one of the lungs; on one machine, with one number of threads.
    spec = recipe(model, epochs=1, lung_epochs=1, batch=24)
    first, other = (trainer(parts, one).run().state_dict() for one in (spec, replace(spec, seed=1)))
    # Where the step has all cores, processes make the films between steps.
    monkeypatch.setattr(torch, "get_num_threads", lambda: (os.cpu_count() or 1) + 1)
    second = trainer(parts, spec).run().state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first
                   if name.endswith("weight"))


def test_it_learns_what_there_is_to_learn(parts):
    # Drawn PNEUMONIA films are brighter in one lung; a few epochs see it.
    run = trainer(parts, recipe(epochs=8, low_epochs=0, evidence=0.0, ema=0.8))
    run.run()
    assert run.history[-1]["validation_auc"] > 0.9
    assert run.history[-1]["loss"] < run.history[0]["loss"]


def test_every_epoch_is_half_and_half_and_uses_every_film():
    y = np.array([0] * 10 + [1] * 30)
    films_ = Films(np.zeros((40, 8, 8), np.uint8), y, {})
    order = epoch_order(films_, 0, 0)
    assert len(order) == 40 and y[order].mean() == 0.5
    assert np.bincount(order, minlength=40)[:10].tolist() == [2] * 10
    assert np.bincount(order, minlength=40)[10:].max() == 1
    assert not np.array_equal(order, epoch_order(films_, 0, 1))


def test_a_second_population_lends_its_groups_alike_and_only_when_asked():
    y = np.array([0] * 20 + [1] * 60 + [0, 0, 0, 0, 0, 0, 1, 0, 1, 1])
    groups = dict(enumerate(["AP NORMAL"] * 6 + ["AP PNEUMONIA", "PA NORMAL"] +
                            ["PA PNEUMONIA"] * 2, 80))
    both = Films(np.zeros((90, 8, 8), np.uint8), y, {}, second=groups)
    alone = Films(both.squares[:80], y[:80], {})
    assert np.array_equal(epoch_order(both, 3, 1), epoch_order(alone, 3, 1))
    order = epoch_order(both, 3, 1, share=0.25)
    lent = [groups[i] for i in order if i >= 80]
    assert len(order) == 80 and {lent.count(name) for name in groups.values()} == {5}
    assert y[order].mean() == 0.5


def test_resume_refuses_another_recipe_and_no_state(parts, tmp_path):
    with pytest.raises(ResumeError, match="nothing to resume"):
        trainer(parts, recipe(), tmp_path / "state.pt").resume()
    trainer(parts, recipe(), tmp_path / "state.pt").run(stop_after=1)
    with pytest.raises(ResumeError, match="other values of learning_rate"):
        trainer(parts, recipe(learning_rate=5e-4), tmp_path / "state.pt").resume()


def test_a_finished_run_can_be_blended_anew(parts, tmp_path):
    spec = recipe(epochs=1, lung_epochs=1)
    ended = trainer(parts, spec, tmp_path / "state.pt")
    late = ended.run().state_dict()
    again = trainer(parts, replace(spec, before_lungs=0.5), tmp_path / "state.pt")
    again.resume()
    for name, value in again.run().state_dict().items():
        if value.is_floating_point():
            middle = (late[name] + ended.earlier[name]) / 2
            assert torch.allclose(value, middle, atol=1e-6), name


def test_misplaced_evidence_is_a_share():
    lungs = torch.zeros(1, 1, 64, 64)
    lungs[:, :, :, :32] = 1
    heat = torch.zeros(1, 8, 8)
    heat[0, :, :4] = -2.0
    ill, well = torch.ones(1), torch.zeros(1)
    assert evidence_misplaced(heat, lungs, ill) == pytest.approx(0, abs=1e-6)
    assert evidence_misplaced(heat, lungs, ill, 1.0) == pytest.approx(1, abs=1e-4)
    assert evidence_misplaced(heat, lungs, well, 1.0) == pytest.approx(0, abs=1e-6)
    heat = heat.flip(2)
    assert evidence_misplaced(heat, lungs, well, 1.0) == pytest.approx(1, abs=1e-4)
    heat[0, :, :4] = 2.0
    assert evidence_misplaced(10 * heat, lungs, ill, 1.0) == pytest.approx(0.5, abs=1e-4)


def test_in_a_film_of_two_halves_evidence_belongs_into_the_ill_one():
    lungs, ill = torch.zeros(1, 1, 8, 12), torch.zeros(1, 1, 8, 12)
    lungs[..., :4] = lungs[..., 8:] = 1
    ill[..., :4] = 1

    def wrong(left: float, right: float, middle: float = 0) -> float:
        heat = torch.zeros(1, 4, 6)
        heat[:, 1, 0], heat[:, 2, 5], heat[:, 2, 2] = left, right, middle
        return evidence_in_wrong_half(heat, lungs, ill).item()

    assert wrong(0, 0) == wrong(2, 2) == pytest.approx(np.log(2))
    assert wrong(5, 0) == pytest.approx(np.log1p(np.exp(-5))) == wrong(3, -2) == wrong(5, 0, 9)
    assert wrong(-1, 3) == pytest.approx(np.log1p(np.exp(4)))
    nothing = torch.zeros(1, 4, 6, requires_grad=True)
    evidence_in_wrong_half(nothing, lungs, ill).backward()
    assert (nothing.grad[..., :2] < 0).all() and (nothing.grad[..., 4:] > 0).all()


def test_of_a_film_of_two_halves_no_evidence_in_the_lungs_is_misplaced():
    heat, lungs = torch.tensor([[[3.0, -3.0, 2.0]]]), torch.tensor([[[[1.0, 1.0, 0.0]]]])
    for label, expected in ((1.0, 3.5), (0.0, 3.5), (0.75, 2.0)):
        found = evidence_misplaced(heat, lungs, torch.tensor([label]), wrong_sign=0.5)
        assert found.item() == pytest.approx(expected / 8, abs=1e-5)


def test_starting_weights_say_what_was_loaded(tmp_path):
    full = start("cnn", "scratch", 1)[0].state_dict()
    torch.save({"block1.1.weight": full["block1.1.weight"], "other": torch.zeros(1)},
               tmp_path / "part.pth")
    network, initial = start("cnn", str(tmp_path / "part.pth"), 2)
    assert initial.loaded == ("block1.1.weight",) and initial.unused == ("other",)
    assert "block1" in initial.fresh_modules and "classifier" in initial.fresh_modules
    assert torch.equal(network.state_dict()["block1.1.weight"], full["block1.1.weight"])
    assert "fresh: block1.2.weight" in initial.sentence()


def test_impossible_starting_weights(tmp_path):
    with pytest.raises(InitialError, match="no ImageNet weights for 'cnn'"):
        start("cnn", "imagenet", 0)
    with pytest.raises(InitialError, match="no file"):
        start("cnn", str(tmp_path / "nothing.pth"), 0)
    (tmp_path / "rubbish.pth").write_bytes(b"rubbish")
    with pytest.raises(InitialError, match="no state dict"):
        start("cnn", str(tmp_path / "rubbish.pth"), 0)
    torch.save({"x": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(InitialError, match="No tensor"):
        start("cnn", str(tmp_path / "other.pth"), 0)


def test_imagenet_weights_are_torchvisions_and_their_absence_is_a_sentence(monkeypatch):
    from urllib.error import URLError

    from torchvision.models import resnet18

    published = resnet18(num_classes=1000).state_dict()
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url",
                        lambda *a, **k: published)
    network, initial = start("resnet18", "imagenet", 0)
    assert initial.fresh == ("fc.weight", "fc.bias") and initial.unused == initial.fresh
    assert torch.equal(network.conv1.weight, published["conv1.weight"])

    def offline(*a, **k):
        raise URLError("no route")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", offline)
    with pytest.raises(InitialError, match="could not be downloaded"):
        start("resnet18", "imagenet", 0)
