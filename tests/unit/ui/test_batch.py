"""The second tab: one image a request, and labels decided anew without it."""

from types import SimpleNamespace

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from pneumo.models.checkpoint import available_models
from pneumo.ui.batch import brief, decided
from pneumo.ui.labelled import area, measured


def sent(image: bytes, **fields):
    fields = {"models": ",".join(available_models()), "check": "off", **fields}
    return SimpleNamespace(data=fields, files=[("image", image)])


def test_rows_are_decided_anew_as_if_they_were_analyzed_with_that_choice(store, png):
    kept = store.tidy()
    reply = brief(store, sent(png))
    assert reply["png"] and store.tidy() == kept, "it is not kept"
    first = reply["rows"]
    choice = {"policy": "custom", "rule_out": "10", "rule_in": "90", "prevalence": "20", "at": "20"}
    cases = [[row["model"], row["balanced"], 1] for row in first]
    again = decided(store, {"models": available_models()[0], "cases": cases, **choice})
    assert len(again["measured"]) == 1, "only the networks chosen"
    assert again["numbers"] == {"prevalence": "20", "rule_out": "10", "rule_in": "90"}
    expected = brief(store, sent(png, **choice))["rows"]
    for before, row, whole in zip(first, again["rows"], expected, strict=True):
        assert {**before, **row, "seconds": 0} == {**whole, "seconds": 0}


def test_rates_and_their_intervals_are_those_of_scipy_and_sklearn():
    rng = np.random.default_rng(0)
    truths = rng.choice(("NORMAL", "PNEUMONIA"), 60)
    scores = np.round(np.clip(rng.normal(0.4, 0.2, 60) + 0.2 * (truths == "PNEUMONIA"), 0, 1), 1)
    labels = np.select([scores < 0.4, scores >= 0.6], ["NORMAL", "PNEUMONIA"], "INDETERMINATE")
    found = measured(labels, truths, scores)
    assert sum(sum(said.values()) for said in found["counts"].values()) == 60
    hits = int((labels == truths).sum())
    low, high = binomtest(hits, 60).proportion_ci(method="wilson")
    rates = [words for _, words in found["rows"]]
    assert rates[0] == f"{hits / 60:.2f} ({low:.2f}–{high:.2f})"
    assert rates[3].startswith(f"{roc_auc_score(truths == 'PNEUMONIA', scores):.2f} (")
    assert [words for _, words in measured(["NORMAL"], ["NORMAL"], [0.1])["rows"]][1::2] == [
        "–"
    ] * 2
    perfect = area(np.ones(5), np.zeros(5))
    assert perfect.high == 1 and 0.4 < perfect.low < 0.9
