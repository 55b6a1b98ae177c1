"""Releasing: the best seed on validation is bundled, others are told of, older weights too."""

from __future__ import annotations

import json

import pytest
import torch

from pneumo.cli import main
from pneumo.data.dataset import DataError
from pneumo.models.checkpoint import CheckpointError, load, read_card, save, write_card
from pneumo.models.networks import build
from pneumo.training.release import release
from tests.unit.reporting.whole_card import whole_card


def a_run(folder, seed: int, auc: float, **recipe):
    """A checkpoint of untrained weights whose card claims this AUC on validation."""
    torch.manual_seed(seed)
    card = whole_card("cnn", "Custom CNN")
    for key in ("architecture", "weights", "seeds", "tried", "versions_log"):
        card.pop(key, None)
    card["training"]["finished"] = "2026-01-0" + str(seed + 1)
    card["training"]["recipe"] |= {"seed": seed, **recipe}
    card["metrics"]["validation"] = {
        name: {"auc": {"value": auc - loss}}
        for name, loss in (("clean", 0.0), ("degraded 0.4", 0.01), ("degraded 0.8", 0.03))
    }
    card["metrics"]["lungs"] = {"heat_in_lungs": 0.9, "peak_in_lung": 1.0, "n": 97}
    save(build("cnn"), card, folder)
    return folder


def test_the_best_on_validation_is_bundled_with_all_seeds(tmp_path):
    runs = [a_run(tmp_path / str(i), i, auc) for i, auc in enumerate((0.97, 0.99, 0.98))]
    card = release("cnn", runs, tmp_path / "out", [{"idea": "more sleep", "verdict": "helped"}])
    assert load("cnn", tmp_path / "out").weights_sha256 == load("cnn", runs[1]).weights_sha256
    assert [s["chosen"] for s in card["seeds"]] == [False, True, False]
    assert card["seeds"][0]["validation"] == pytest.approx({"auc": 0.97, "auc_degraded": 0.95})
    assert card["seeds"][2]["lungs"] == {"heat_in_lungs": 0.9, "peak_in_lung": 1.0}
    assert card["tried"][0]["idea"] == "more sleep"
    assert "3 seeds" in card["training"]["selection"]


# 0.3 knows as much of what is beside the lungs as 0.7, the other way round.
@pytest.mark.parametrize("hidden", [0.7, 0.3])
def test_a_seed_whose_evidence_lies_in_the_lungs_comes_before_a_more_accurate_one(tmp_path, hidden):
    runs = [a_run(tmp_path / str(i), i, auc) for i, auc in enumerate((0.97, 0.99, 0.98))]
    lungs = {"heat_in_lungs": 0.9, "peak_in_lung": 1.0, "auc_only_lungs": 0.97,
             "auc_without_lungs": 0.5}
    for run, known in zip(runs, (lungs, {**lungs, "auc_without_lungs": hidden}, lungs),
                          strict=True):
        card = read_card("cnn", run)
        card["metrics"]["lungs"] = known
        write_card(card, run / "cnn.json")
    card = release("cnn", runs, tmp_path / "out")
    assert [s["chosen"] for s in card["seeds"]] == [False, False, True]


def test_other_starting_weights_are_another_recipe(tmp_path):
    runs = [a_run(tmp_path / str(i), i, 0.97) for i in range(2)]
    card = read_card("cnn", runs[1])
    card["training"]["init_sentence"] = "Of a friend."
    write_card(card, runs[1] / "cnn.json")
    with pytest.raises(DataError, match="they differ in the starting weights"):
        release("cnn", runs, tmp_path / "out")


def test_replaced_weights_stay_in_the_version_log(tmp_path):
    out = tmp_path / "out"
    release("cnn", [a_run(tmp_path / "a", 0, 0.97)], out)
    old = read_card("cnn", out)
    old["metrics"]["test"] = {"auc": {"value": 0.9321}}
    write_card(old, out / "cnn.json")
    again = release("cnn", [a_run(tmp_path / "b", 1, 0.98)], out)["versions_log"]
    assert [entry["version"] for entry in again] == [1, 2]
    assert "0.9321" in again[0]["change"] and old["weights"]["sha256"][:12] in again[0]["change"]
    same = release("cnn", [tmp_path / "b"], out)["versions_log"]
    assert same == again  # the same weights are no new version


def test_scorings_of_the_test_split_are_counted_on(tmp_path):
    out = tmp_path / "out"
    release("cnn", [a_run(tmp_path / "a", 0, 0.97)], out)
    old = read_card("cnn", out)
    old["test_scorings"] = [{"weights": old["weights"]["sha256"], "auc": 0.93}]
    write_card(old, out / "cnn.json")
    run = a_run(tmp_path / "b", 1, 0.98)
    mine = read_card("cnn", run) | {"test_scorings": [{"weights": "taken back", "auc": 0.91}]}
    write_card(mine, run / "cnn.json")
    for _ in range(2):  # releasing again counts nothing twice
        scorings = release("cnn", [run], out)["test_scorings"]
        assert [one["auc"] for one in scorings] == [0.93, 0.91]


def test_a_choice_recipes_learned_later_is_the_default_in_older_runs(tmp_path):
    names = {"model": "cnn"}
    runs = [a_run(tmp_path / "a", 0, 0.97, **names),
            a_run(tmp_path / "b", 1, 0.98, before_lungs=0.0, **names)]
    assert len(release("cnn", runs, tmp_path / "out")["seeds"]) == 2
    runs.append(a_run(tmp_path / "c", 2, 0.98, before_lungs=0.2, **names))
    with pytest.raises(DataError, match="they differ in before_lungs"):
        release("cnn", runs, tmp_path / "out")


def test_other_recipes_and_lost_weights_are_refused(tmp_path):
    runs = [a_run(tmp_path / "a", 0, 0.97), a_run(tmp_path / "b", 1, 0.98, epochs=99)]
    with pytest.raises(DataError, match="they differ in epochs"):
        release("cnn", runs, tmp_path / "out")
    with pytest.raises(CheckpointError):
        release("cnn", [tmp_path / "nothing"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("again", ["the same seed", "the bundled folder"])
def test_seeds_that_tell_of_no_spread_are_refused(tmp_path, again):
    first = a_run(tmp_path / "a", 0, 0.97)
    other = a_run(tmp_path / "b", 0, 0.98) if again == "the same seed" else tmp_path / "out"
    with pytest.raises(DataError, match=r"more than once|is where the best"):
        release("cnn", [first, other], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_it_chose(tmp_path, capsys):
    runs = [a_run(tmp_path / str(i), i, auc) for i, auc in enumerate((0.97, 0.99))]
    ideas = tmp_path / "tried.json"
    ideas.write_text(json.dumps([{"idea": "paint"}]))
    words = ["release", *map(str, runs), "--model", "cnn", "--out", str(tmp_path / "out")]
    assert main([*words, "--tried", str(ideas)]) == 0
    assert "seed 1: validation AUC 0.9900, degraded 0.9700, bundled" in capsys.readouterr().out
    ideas.write_text("{}")
    assert main([*words, "--tried", str(ideas)]) == 1
    assert "no list of ideas" in capsys.readouterr().err
