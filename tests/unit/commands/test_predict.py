"""pneumo predict: one record per image, in order, whatever the image."""

import json

import cv2
import numpy as np
import pytest

from pneumo.models.checkpoint import load_checkpoint
from pneumo.reading.reader import Reader
from tests.radiographs import synthetic
from tests.unit.commands.shell import run


@pytest.fixture
def ward(tmp_path, monkeypatch, stand_ins):
    """A folder with two radiographs, one in a sub-folder, and one bad file; stand-in networks."""
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))
    folder = tmp_path / "ward"
    (folder / "more").mkdir(parents=True)
    cv2.imwrite(str(folder / "b.png"), synthetic(1, size=256))
    cv2.imwrite(str(folder / "more" / "a.png"), synthetic(2, size=200)[:150])
    (folder / "c.jpg").write_bytes(b"no picture")
    (folder / ".hidden").write_bytes(b"x")
    return folder


def records(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_folder_is_walked_in_order_and_a_bad_file_costs_the_exit_code_alone(ward, capsys):
    assert run("predict", ward, "--format", "jsonl", "--model", "cnn") == 1
    found = records(capsys)
    assert [r["path"] for r in found] == [str(ward / p) for p in ("b.png", "c.jpg", "more/a.png")]
    assert [r["status"] for r in found] == ["ok", "error", "ok"]
    assert found[1]["probability"] is None and found[1]["reason"].endswith(".")
    wanted = {"path", "status", "reason", "model", "probability", "label", "confidence",
              "threshold", "seconds"}  # fmt: skip
    assert all(wanted <= set(r) and r["model"] == "cnn" for r in found)


def test_all_read_is_zero_and_agrees_with_the_reader(ward, capsys, stand_ins):
    assert run("predict", ward / "nothing.png", "--format", "jsonl") == 1
    assert records(capsys)[0]["status"] == "error"
    images = [ward / "more" / "a.png", ward / "b.png"]
    assert run("predict", *images, "--format", "jsonl") == 0
    reader = Reader(load_checkpoint("resnet18", stand_ins))
    for record, image in zip(records(capsys), images, strict=True):
        assert record["probability"] == reader.predict(image).probability


def test_custom_thresholds_decide_at_the_prevalence_given(ward, capsys):
    image = (ward / "b.png", "--format", "jsonl")
    run("predict", *image, "--prevalence", "0.2")
    p = records(capsys)[0]["probability"]
    for more, label, pair in (
        (["--threshold", "0"], "PNEUMONIA", (0, 0)),
        (["--threshold", "1"], "NORMAL", (1, 1)),
        (["--rule-out", p / 2, "--rule-in", (1 + p) / 2], "INDETERMINATE", (p / 2, (1 + p) / 2)),
        (["--rule-out", p / 4, "--rule-in", p / 2], "PNEUMONIA", (p / 4, p / 2)),
    ):
        run("predict", *image, "--prevalence", "0.2", *more)
        record = records(capsys)[0]
        assert record["label"] == label and record["operating_point"] == "custom"
        assert (record["rule_out"], record["rule_in"]) == pytest.approx(pair)
        assert record["probability"] == p and record["prevalence"] == 0.2


def test_heatmaps_have_the_images_shape_and_the_readings_evidence(
    ward, tmp_path, capsys, stand_ins
):
    out = tmp_path / "maps"
    (ward / "more" / "b.png").write_bytes((ward / "b.png").read_bytes())
    run("predict", ward, "--heatmaps", out, "--format", "jsonl", "--model", "cnn")
    names = [r["heatmap"] for r in records(capsys)]
    assert names == ["b.evidence.npy", None, "a.evidence.npy", "b-2.evidence.npy"]
    evidence = np.load(out / "a.evidence.npy")
    assert evidence.dtype == np.float32 and evidence.shape == (150, 200)
    assert cv2.imread(str(out / "a.heatmap.png")).shape == (150, 200, 3)
    reading = Reader(load_checkpoint("cnn", stand_ins)).predict(ward / "more" / "a.png")
    # Bilinear interpolation keeps the mean nearly as it is: nothing was rescaled.
    assert evidence.mean() == pytest.approx(reading.evidence.mean(), rel=0.1)


@pytest.mark.parametrize(
    "words",
    ["--threshold 2", "--model vgg", "--preset sensitive", "--preset cautious --threshold 0.5",
     "--rule-in 0.5", "--rule-out 0.6 --rule-in 0.5", "--prevalence 1", "--resume", "--format xml"],
)  # fmt: skip
def test_wrong_usage_is_two(words):
    assert run("predict", "x", *words.split()) == 2
    assert run("predict") == run("nonsense") == 2


def test_an_empty_folder_ends_with_one_and_a_sentence(ward, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert run("predict", tmp_path / "empty", "--output", tmp_path / "out.csv") == 1
    shown = capsys.readouterr()
    assert shown.out == "" and str(tmp_path / "empty") in shown.err
    assert not (tmp_path / "out.csv").exists()
