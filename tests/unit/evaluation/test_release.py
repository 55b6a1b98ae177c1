"""A release takes whole runs of one recipe and its data; where the evidence lies counts first."""

from dataclasses import replace

import pytest

from pneumo.data import dataset
from pneumo.evaluation import release
from pneumo.evaluation.release import ReleaseError, rank, read_run, same_recipe
from pneumo.models.card import LocalizationRow
from tests.cards import estimate, whole_card
from tests.runs import finished_run


@pytest.fixture
def run(stand_ins, drawn_dataset, tmp_path):
    """Makes RUN folders of a finished training."""
    return lambda name="run", seed=0, **recipe: finished_run(
        tmp_path / name, stand_ins, drawn_dataset, seed, **recipe
    )


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
