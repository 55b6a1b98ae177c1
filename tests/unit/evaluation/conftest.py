"""What the tests of evaluation share."""

import pytest

from pneumo.evaluation import metrics


@pytest.fixture
def few_resamples(monkeypatch):
    """Intervals of twenty bootstrap samples, where only the values count."""
    monkeypatch.setattr(metrics, "RESAMPLES", 20)
