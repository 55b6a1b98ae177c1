"""Presets on real validation radiographs: switching between them changes labels."""

import numpy as np

from pneumo.data import dataset
from pneumo.models.checkpoint import available_models
from pneumo.reading.decision import PRESETS, decide
from pneumo.reading.reader import Reader


def test_switching_presets_changes_labels(data_root):
    readers = [Reader(name) for name in available_models()]
    recipe = readers[0].card.training.recipe
    table = dataset.samples(data_root, "train")
    table = dataset.validation_split(table, 0, recipe["folds"], recipe["fold"])[1]
    squares = dataset.load_squares(table, readers[0].card.preprocessing)
    for reader in readers:
        card = reader.card
        values = reader.graph.logits(card.preprocessing.values(squares))
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
