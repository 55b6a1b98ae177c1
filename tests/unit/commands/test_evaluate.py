"""python -m pneumo evaluate: the numbers are those of the readings."""

from __future__ import annotations

import json
import shutil
from collections import Counter

import cv2
import pytest
from sklearn.metrics import roc_auc_score

from pneumo.data.dataset import films, labels, validation_split
from pneumo.imaging.phantom import phantom
from pneumo.models.checkpoint import load, read_card, write_card
from pneumo.reading.reader import Reader
from pneumo.reporting import figures
from tests.unit.commands.shell import run
from tests.unit.reporting.whole_card import whole_card


@pytest.fixture
def root(drawn_dataset, tmp_path, monkeypatch, stand_ins):
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))
    shutil.copytree(drawn_dataset / "test", tmp_path / "test")
    first = sorted((tmp_path / "test" / "PNEUMONIA").iterdir())[0]
    shutil.copy(first, first.with_name("person99_virus_1.jpeg"))  # a redundant copy
    return tmp_path


def test_scores_are_those_of_the_readings(root, tmp_path, capsys, stand_ins):
    out = tmp_path / "scores.json"
    assert run("evaluate", root, "--model", "cnn", "--json", out) == 0
    result = json.loads(out.read_text())[0]
    table = films(root, "test")
    p = [Reader(load("cnn", stand_ins)).read(f.path).probability for f in table]
    assert result["all"]["auc"]["value"] == pytest.approx(roc_auc_score(labels(table), p))
    assert (result["all"]["n"], result["distinct"]["n"]) == (13, 12)
    kinds = result["sensitivity_by_kind"]
    assert sum(kind["n"] for kind in kinds.values()) == 7
    found = sum(kind["n"] * kind["sensitivity"]["value"] for kind in kinds.values())
    assert found == pytest.approx(result["all"]["confusion"]["true_positive"])
    shown = capsys.readouterr().out
    for name in ("accuracy", "sensitivity", "specificity", "auc", "brier", "ece", "false_negative"):
        assert name in shown


def test_certain_answers_are_counted_where_the_card_has_a_band(root, tmp_path, monkeypatch,
                                                               stand_ins, capsys):
    folder, out = tmp_path / "banded", tmp_path / "scores.json"
    shutil.copytree(stand_ins, folder)
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(folder))
    table = films(root, "test")
    p = sorted(Reader(load("cnn", folder)).read(f.path).probability for f in table)
    card = json.loads((folder / "cnn.json").read_text())
    card["operating_points"]["balanced"]["threshold"] = p[6]
    card["uncertain"] = {"low": p[4], "high": p[9], "rule": "made up"}
    (folder / "cnn.json").write_text(json.dumps(card))
    assert run("evaluate", root, "--model", "cnn", "--json", out) == 0
    scores = json.loads(out.read_text())[0]
    result = scores["uncertain"]
    readings = [Reader(load("cnn", folder)).read(f.path).label for f in table]
    certain = [(label == "PNEUMONIA") == film.label for label, film in
               zip(readings, table, strict=True) if label != "UNCERTAIN"]
    seen = Counter(zip([film.label for film in table], readings, strict=True))
    for label, truth in enumerate(("NORMAL", "PNEUMONIA")):
        given = scores["labels"]["balanced"][truth]
        assert given == {name: seen[label, name] for name in ("NORMAL", "UNCERTAIN", "PNEUMONIA")}
    assert result["n"] == 13 and result["share"]["n"] == 13
    assert result["share"]["value"] == pytest.approx(readings.count("UNCERTAIN") / 13)
    accuracy = result["certain_accuracy"]
    assert (accuracy["value"], accuracy["n"]) == (sum(certain) / len(certain), len(certain))
    assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
    assert result["coverage_normal"]["n"] + result["coverage_pneumonia"]["n"] == 13
    run("evaluate", root, "--model", "resnet18", "--json", out)
    assert "uncertain" not in json.loads(out.read_text())[0]  # an old card has no band


def test_every_network_and_unread_films(root, capsys):
    (root / "test" / "NORMAL" / "bad.jpeg").write_bytes(b"x")
    assert run("evaluate", root) == 1
    shown = capsys.readouterr().out
    assert "cnn on test" in shown and "resnet18 on test" in shown and "bad.jpeg" in shown


def test_missing_split_is_a_sentence(root, capsys):
    assert run("evaluate", root, "--split", "holdout") == 1
    assert "data download" in capsys.readouterr().err


@pytest.fixture
def own(root, tmp_path, stand_ins):
    """A checkpoint folder to write into, whose CNN card says how validation was split."""
    folder = shutil.copytree(stand_ins, tmp_path / "own")
    card = read_card("cnn", folder)
    card["training"]["recipe"] = {"folds": 4, "fold": 0}
    write_card(card, folder / "cnn.json")
    return folder


def test_shortcut_is_measured_on_validation_and_saved_with_the_weights(
    own, drawn_dataset, tmp_path, capsys
):
    shutil.copytree(drawn_dataset / "train", tmp_path / "train")
    shutil.rmtree(tmp_path / "test")  # nothing of it may be looked at
    words = ("evaluate", "--shortcut", "--data", tmp_path, "--model", "cnn", "--checkpoints", own)
    assert run(*words, "--save") == 0
    found = read_card("cnn", own)["metrics"]["shortcut"]
    held_out = validation_split(films(tmp_path, "train"), 0, 4, 0)[1]
    assert found["n"] == len(held_out) == sum(row["n"] for row in found["strata"])
    assert [row["quality"] for row in found["jpeg"]] == [20, 40, 60, 80, 95]
    assert load("cnn", own).weights_sha256 == load("cnn").weights_sha256
    shown = capsys.readouterr().out
    assert "0.08 bytes per pixel" in shown and "decisions flipped" in shown


def test_adults_are_scored_by_view_as_they_are_read(own, tmp_path):
    (tmp_path / "adults" / "images").mkdir(parents=True)
    lines = ["file,label,nih_labels,patient,age,sex,view"]
    for seed, (label, view) in enumerate(
        (label, view) for label in ("NORMAL", "PNEUMONIA") for view in ("PA", "PA", "AP")
    ):
        cv2.imwrite(str(tmp_path / "adults/images" / f"{seed}.png"), phantom(seed, size=96)[0])
        lines.append(f"{seed}.png,{label},x,{seed},50,F,{view}")
    (tmp_path / "adults" / "labels.csv").write_text("\n".join(lines) + "\n")
    words = ("evaluate", "--adults", tmp_path / "adults", "--model", "cnn", "--checkpoints", own)
    assert run(*words) == 0
    assert "adults" not in read_card("cnn", own)["metrics"]
    assert run(*words, "--save") == 0
    rows = read_card("cnn", own)["metrics"]["adults"]["rows"]
    assert [(row["view"], row["n"], row["positives"]) for row in rows] == [
        ("all", 6, 3), ("PA", 4, 2), ("AP", 2, 1),
    ]
    reader = Reader(load("cnn", own), guard=False)
    p = [reader.read(tmp_path / "adults/images" / f"{i}.png").probability for i in range(6)]
    assert rows[0]["auc"]["value"] == pytest.approx(roc_auc_score([0, 0, 0, 1, 1, 1], p))


def test_what_was_measured_with_other_weights_is_not_saved(own, tmp_path, capsys):
    (own / "cnn.safetensors").write_bytes((own / "resnet18.safetensors").read_bytes())
    words = ("--model", "cnn", "--checkpoints", own, "--save")
    assert run("evaluate", "--adults", tmp_path, *words) == 1
    assert "not the ones its card describes" in capsys.readouterr().err


def test_figures_and_card_of_another_folder(own, tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "FIGURES", {"confusion": figures.FIGURES["confusion"]})
    for name in ("cnn", "resnet18"):
        write_card(whole_card(name, name), own / f"{name}.json")
    assert run("evaluate", "--figures", tmp_path / "drawn", "--checkpoints", own) == 0
    assert (tmp_path / "drawn" / "confusion.svg").is_file()
    assert run("card", "--checkpoints", own) == 0
    assert "Is sharpness a shortcut?" in (own / "MODEL_CARD.md").read_text()


@pytest.mark.parametrize("words", [("--save", "x"), (), ("--shortcut",)])
def test_what_makes_no_sense_is_a_sentence(root, words, capsys):
    assert run("evaluate", *words) == 1
    assert capsys.readouterr().err.startswith("pneumo evaluate: ")


def test_bundled_scores_are_reproduced(data_root, capsys):
    """The committed cards' test metrics are those of the committed weights (first 60 films)."""
    from pneumo.models.checkpoint import available_models

    for name in available_models():
        if "test" in read_card(name)["metrics"]:
            reader = Reader(name)
            table = films(data_root, "test")[::10]
            right = [(reader.read(f.path).probability >= reader.threshold) == f.label
                     for f in table]
            card = read_card(name)["metrics"]["test"]
            # 63 of 624 films: the sampling error of an accuracy of 0.95 is 0.027.
            assert abs(sum(right) / len(right) - card["accuracy"]["value"]) < 0.09
