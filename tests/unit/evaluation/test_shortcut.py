"""Shortcut analysis: right on images and scores whose answer is known."""

import numpy as np
import pytest

from pneumo.evaluation import metrics
from pneumo.evaluation.shortcut import STRATA, strata


def test_strata_separate_a_network_that_reads_sharpness_from_one_that_reads_lungs(monkeypatch):
    monkeypatch.setattr(metrics, "RESAMPLES", 20)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 600)
    sharp = -y * 2.0 + rng.normal(0, 1, len(y))  # gives the label away
    cheat = 1 / (1 + np.exp(sharp))
    # Reads the lungs: knows the label, and nothing of the sharpness within a class.
    honest = 1 / (1 + np.exp(-(4.0 * y - 2 + rng.normal(0, 1, len(y)))))
    cheating, reading = (strata(y, scores, sharp) for scores in (cheat, honest))
    assert [row.name for row in reading] == list(STRATA)
    assert sum(row.n for row in reading) == len(y)
    assert sum(row.positives for row in reading) == y.sum()
    for false, true in zip(cheating, reading, strict=True):
        assert false.auc.value == pytest.approx(false.auc_sharpness)
        assert true.auc.value > 0.98 > 0.9 > false.auc.value
