"""Presets on real validation radiographs: switching between them changes labels."""

from __future__ import annotations

import numpy as np
import pytest

from pneumo.data import dataset
from pneumo.data.dataset import DataError
from pneumo.data.memory import logits
from pneumo.evaluation.predictions import validation_images
from pneumo.models.checkpoint import available_models, load_checkpoint
from pneumo.reading.decision import PRESETS, decide


@pytest.mark.parametrize("name", available_models())
def test_switching_presets_changes_labels(name, data_root):
    checkpoint = load_checkpoint(name)
    card = checkpoint.card
    try:
        table = validation_images(data_root, card.training.recipe, card.data.fingerprint)
    except DataError as error:
        pytest.skip(str(error))
    squares = dataset.load_squares(table, checkpoint.preprocessing)
    values = logits(checkpoint.network, squares, checkpoint.preprocessing)
    probabilities = card.calibration.probability(values)
    labels = {
        preset: np.array([decide(float(p), card.policies[preset].policy) for p in probabilities])
        for preset in PRESETS
    }
    left = {preset: int((given == "INDETERMINATE").sum()) for preset, given in labels.items()}
    changed = {
        (one, other): int((labels[one] != labels[other]).sum())
        for one, other in (("cautious", "balanced"), ("balanced", "decisive"))
    }
    print(f"{name}, {len(table)} radiographs: indeterminate {left}, labels changed {changed}")
    assert left["cautious"] > left["balanced"] > left["decisive"] == 0
    assert left["balanced"] <= 0.1 * len(table)
    assert all(count >= 5 for count in changed.values())
