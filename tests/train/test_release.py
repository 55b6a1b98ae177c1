"""pneumo release, from two seeds of a run to a rendered model card, and again where it stopped."""

from pneumo.evaluation import metrics, robustness
from pneumo.models.card import read_card
from pneumo.models.checkpoint import load_checkpoint
from tests.runs import finished_run
from tests.unit.commands.shell import run


def test_two_seeds_become_a_rendered_checkpoint(
    stand_ins, drawn_dataset, adults, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(metrics, "RESAMPLES", 20)
    few = {name: robustness.CORRUPTIONS[name] for name in ("none", "gamma 0.7")}
    monkeypatch.setattr(robustness, "CORRUPTIONS", few)
    out = tmp_path / "out"
    runs = [
        finished_run(tmp_path / f"run{seed}", stand_ins, drawn_dataset, seed) for seed in (0, 1)
    ]
    words = ("release", *runs, "--data", drawn_dataset, "--adults", adults, "--out", out)
    assert run(*words) == 0
    card = read_card("cnn", out)
    assert load_checkpoint("cnn", out).card == card
    seeds = card.training.seeds
    assert [seed.seed for seed in seeds] == [0, 1] and sum(seed.chosen for seed in seeds) == 1
    assert "composites_share" in card.evidence.localization
    assert len(card.metrics.corruptions) == 2 and card.metrics.shortcut.n == 15
    assert [row.group for row in card.metrics.external] == ["all", "PA", "AP"]
    assert card.metrics.test is None
    assert "not been scored" in (out / "MODEL_CARD.md").read_text()
    assert (out / "figures" / "training.svg").is_file()
    first = capsys.readouterr().out
    assert "localization" in first and "robustness" in first

    assert run(*words, "--score-test") == 0
    again = capsys.readouterr().out
    assert "robustness" not in again, "what was measured is not measured again"
    scored = read_card("cnn", out)
    assert scored.metrics.test.scores.n == 12
    assert (out / "figures" / "roc.svg").is_file()
    assert run(*words, "--score-test") == 1
    assert "scored" in capsys.readouterr().err
    assert read_card("cnn", out) == scored
