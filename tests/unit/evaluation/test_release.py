"""A release picks the best seed, keeps what it measured, and continues where it was stopped."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from pneumo.data import dataset
from pneumo.data.memory import logits
from pneumo.evaluation import release
from pneumo.evaluation.release import ReleaseError, calibrated, rank, read_run, same_recipe
from pneumo.models.card import LocalizationRow
from pneumo.models.checkpoint import load_checkpoint
from tests.cards import estimate, whole_card
from tests.runs import finished_run

pytestmark = pytest.mark.usefixtures("few_resamples")


@pytest.fixture
def run(stand_ins, drawn_dataset, tmp_path):
    """Makes RUN folders of a finished training."""
    return lambda name="run", seed=0, **recipe: finished_run(
        tmp_path / name, stand_ins, drawn_dataset, seed, **recipe
    )


def test_a_run_becomes_a_checkpoint_whose_numbers_are_those_of_its_stored_weights(
    run, drawn_dataset, monkeypatch
):
    one = read_run(run())
    table = release.validation_of([one], drawn_dataset)
    checkpoint = calibrated(one, table)
    card = checkpoint.card
    stored = {value.dtype for value in checkpoint.network.state_dict().values() if value.ndim > 1}
    assert stored == {torch.float32}
    squares = dataset.load_squares(table, checkpoint.preprocessing)
    p = card.calibration.probability(logits(checkpoint.network, squares, checkpoint.preprocessing))
    validation = card.metrics.validation.scores
    y = dataset.labels(table)
    assert validation.n == len(table) and validation.positives == y.sum()
    assert validation.confusion.true_positive == (p[y == 1] >= card.threshold).sum()
    assert set(card.metrics.degraded) == {"0.4", "0.6", "0.8"}
    assert card.data.validation.radiographs == len(table)
    assert "location" not in card.training.history[0].losses, "an epoch without any has no mean"
    assert card.evidence.scale > 0
    # A stopped release keeps what it measured unless the weights change.
    monkeypatch.setattr(release, "fix_presets", None)  # to be fixed again would fail
    assert calibrated(one, table).card == card
    state = load_checkpoint("cnn", one.staging).network.state_dict()
    state["classifier.bias"] = state["classifier.bias"] + 1
    save_file(state, one.folder / "weights.safetensors")
    with pytest.raises(TypeError):
        calibrated(one, table)
    (one.folder / "weights.safetensors").write_bytes(b"x" * 1000)
    with pytest.raises(ReleaseError, match="cannot be used"):
        calibrated(one, table)


def test_only_seeds_of_one_recipe_and_the_data_trained_on_are_used(run, drawn_dataset):
    seeds = [read_run(run(f"run{seed}", seed)) for seed in (0, 1)]
    same_recipe(seeds)
    with pytest.raises(ReleaseError, match="more than once"):
        same_recipe([seeds[0], seeds[0]])
    with pytest.raises(ReleaseError, match="epochs"):
        same_recipe([seeds[0], read_run(run("longer", 2, epochs=2))])
    seeds[0].facts["data"]["fingerprint"] = "0" * 64
    with pytest.raises(dataset.DataError, match="trained on"):
        release.validation_of(seeds, drawn_dataset)


@pytest.mark.parametrize(
    "damage",
    [lambda f: (f / "run.json").unlink(), lambda f: (f / "run.json").write_text("{"),
     lambda f: (f / "run.json").write_text('{"recipe": {"model": "nobody"}}'),
     lambda f: (f / "run.json").write_text("[" * 100_000)],
)  # fmt: skip
def test_a_folder_that_is_no_run_is_a_sentence(run, damage):
    folder = run()
    damage(folder)
    with pytest.raises(ReleaseError, match="run"):
        read_run(folder)


def test_localization_counts_before_accuracy():
    def card(auc: float, **measures: float):
        one = whole_card()
        rows = {k: LocalizationRow(estimate(v)) for k, v in measures.items()}
        scores = replace(one.metrics.degraded["0.6"], auc=estimate(auc))
        return replace(
            one,
            evidence=replace(one.evidence, localization=rows),
            metrics=replace(one.metrics, degraded={"0.6": scores}),
        )

    blind = card(0.99, composites_share=0.5, lungs_share=0.99, maps_alike=0.1)
    side = card(0.95, composites_share=0.93, maps_alike=0.9)
    assert rank(side) > rank(blind)
    assert rank(card(0.96, composites_share=0.93, maps_alike=0.9)) > rank(side)
    assert rank(card(0.95, composites_share=0.93, maps_alike=0.3)) > rank(side)
