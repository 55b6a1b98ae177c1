# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 2. Training the CNN
#
# A short run on a few hundred radiographs: enough to see a learning curve, not a good network. The
# whole recipe is `python train.py --model cnn --data data` (see docs/training.md).

# %%
# %matplotlib inline
import json
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

from pneumo.data import dataset
from pneumo.models.networks import build
from pneumo.reporting import gallery
from pneumo.training.recipe import load_recipe
from pneumo.training.run import train

DATA = Path(os.environ.get("PNEUMO_DATA", "data"))
EPOCHS, RADIOGRAPHS = int(os.environ.get("PNEUMO_EPOCHS", "4")), 150  # of each class

network = build("cnn")
print(network)
print(sum(p.numel() for p in network.parameters()), "parameters")

# %% [markdown]
# A folder with links to some radiographs of each class is a dataset, too.

# %%
work = Path(tempfile.mkdtemp())
table = dataset.samples(DATA, "train")
for label, name in enumerate(dataset.CLASSES):
    (work / "data/train" / name).mkdir(parents=True)
    for sample in gallery.of_class(table, label, RADIOGRAPHS):
        (work / "data/train" / name / sample.path.name).symlink_to(sample.path.resolve())

# %% [markdown]
# The recipe without its teacher. **Question:** which of its values would you change, and how would
# you know that the change helped?

# %%
changes = {"epochs": EPOCHS, "teacher": "''", "teacher_weight": 0, "adult_p": 0}
recipe = load_recipe("cnn", {name: str(value) for name, value in changes.items()})
print(recipe)
train(recipe, work / "data", work / "run")

# %%
history = json.loads((work / "run/run.json").read_text())["history"]
figure, (loss, area) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
epochs = [entry["epoch"] for entry in history]
loss.plot(epochs, [entry["loss"] for entry in history], "o-")
area.plot(epochs, [entry["validation_auc"] for entry in history], "o-", label="validation")
area.plot(
    epochs, [entry["validation_auc_degraded"] for entry in history], "o--", label="degraded copies"
)
loss.set(xlabel="epoch", ylabel="loss")
area.set(xlabel="epoch", ylabel="AUC")
area.legend()
