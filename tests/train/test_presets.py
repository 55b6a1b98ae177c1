"""Presets on real validation radiographs: switching between them changes labels."""

import numpy as np

from pneumo.data import dataset
from pneumo.data.memory import logits
from pneumo.models.checkpoint import available_models, load_checkpoint
from pneumo.reading.decision import PRESETS, decide


def test_switching_presets_changes_labels(data_root):
    checkpoints = [load_checkpoint(name) for name in available_models()]
    recipe = checkpoints[0].card.training.recipe
    table = dataset.samples(data_root, "train")
    table = dataset.validation_split(table, 0, recipe["folds"], recipe["fold"])[1]
    squares = dataset.load_squares(table, checkpoints[0].preprocessing)
    for checkpoint in checkpoints:
        card = checkpoint.card
        values = logits(checkpoint.network, squares, checkpoint.preprocessing)
        probabilities = card.calibration.probability(values)
        labels = {
            name: np.array([decide(float(p), card.policies[name].policy) for p in probabilities])
            for name in PRESETS
        }
        left = {name: int((given == "INDETERMINATE").sum()) for name, given in labels.items()}
        changed = [
            int((labels[one] != labels[other]).sum())
            for one, other in (("cautious", "balanced"), ("balanced", "decisive"))
        ]
        print(f"{card.name}, {len(table)} radiographs: indeterminate {left}, changed {changed}")
        assert left["cautious"] > left["balanced"] > left["decisive"] == 0
        assert left["balanced"] <= 0.1 * len(table) and min(changed) >= 5
