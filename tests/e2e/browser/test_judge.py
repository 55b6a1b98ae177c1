"""The page's own arithmetic is the package's: labels at any threshold, predictive values."""

from __future__ import annotations

import pytest

from pneumo.reading.decision import Band, label_of, predictive_values
from pneumo.ui.assets_text import script

PROBABILITIES = [0.0, 1e-9, 0.1, 0.2999, 0.3, 0.3001, 0.4, 0.5, 0.55, 0.6, 0.7, 1 - 1e-12, 1.0]
THRESHOLDS = [0.0, 0.01, 0.3, 0.4411, 0.5, 0.6, 0.99, 1.0]
BANDS = [None, Band(0.3, 0.6), Band(0.5, 0.5), Band(0.0, 1.0)]
SHARES = [0.0, 0.02, 0.5, 0.93, 1.0]


@pytest.fixture(scope="module")
def ask(chromium):
    """Runs an expression of the page's script in a real browser, given a list of values."""
    page = chromium.new_page()

    def run(expression: str, values: list) -> list:
        scripts = script(("core.js", "judge.js"), f"return values.map({expression});", cards=[])
        return page.evaluate(f"(values) => {{ {scripts} }}", values)

    yield run
    page.close()


def test_the_page_gives_the_readers_label_at_every_threshold(ask):
    cases = [(p, t, band) for p in PROBABILITIES for t in THRESHOLDS for band in BANDS]
    sent = [[p, t, band and {"low": band.low, "high": band.high}] for p, t, band in cases]
    shown = ask("""([probability, threshold, uncertain]) => {
        const card = { points: [], uncertain };
        const verdict = judged({ record: { probability }, card }, { threshold });
        return [verdict.label, verdict.confidence];
    }""", sent)
    assert [tuple(pair) for pair in shown] == [label_of(*case) for case in cases]


def test_a_named_point_is_judged_by_its_own_threshold(ask):
    points = [{"name": "balanced", "threshold": 0.4}, {"name": "high_specificity",
                                                       "threshold": 0.7}]
    card = {"points": points, "uncertain": {"low": 0.3, "high": 0.6}}
    shown = ask("""([card, point]) => {
        const verdict = judged({ record: { probability: 0.65 }, card }, { point });
        return [verdict.label, verdict.threshold, verdict.band];
    }""", [[card, "balanced"], [card, "high_specificity"]])
    assert shown == [["PNEUMONIA", 0.4, {"low": 0.3, "high": 0.6}],
                     ["UNCERTAIN", 0.7, {"low": 0.3, "high": 0.7}]]


def test_predictive_values_are_the_packages(ask):
    cases = [(a, b, c) for a in SHARES for b in SHARES for c in SHARES]
    shown = ask("""([ill, well, prevalence]) => {
        const point = { sensitivity: { value: ill }, specificity: { value: well } };
        const { ppv, npv } = predictiveValues(point, prevalence);
        return [ppv, npv];
    }""", [list(case) for case in cases])
    for case, (ppv, npv) in zip(cases, shown, strict=True):
        for mine, value in zip(predictive_values(*case), (ppv, npv), strict=True):
            assert value == (mine if mine is None else pytest.approx(mine, abs=1e-12)), case
