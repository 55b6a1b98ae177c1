# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 5. Results
#
# ROC, confusion and training curves come from the cards of the bundled weights: the official test
# set was scored once for them and is not scored here. Missed pneumonias are sought among the
# validation radiographs.

# %%
# %matplotlib inline
import os
from pathlib import Path

from pneumo.data import dataset
from pneumo.models.checkpoint import available_models, load_checkpoint
from pneumo.reporting import figures, gallery

DATA = Path(os.environ.get("PNEUMO_DATA", "data"))
validation = dataset.validation_split(dataset.samples(DATA, "train"))[1]
checkpoints = [load_checkpoint(name) for name in available_models()]
cards = [checkpoint.card for checkpoint in checkpoints]

# %%
figures.roc(cards)

# %%
figures.confusion(cards)

# %%
figures.training(cards)

# %% [markdown]
# ## Pneumonias that a network misses
#
# Each with its probability by both networks. **Question:** do they miss the same ones? What do the
# missed ones have in common, and which threshold would have found them at what price?

# %%
rows, figure = gallery.missed(checkpoints, validation)
for sample, probabilities in rows[:10]:
    print(sample.kind, [round(p, 2) for p in probabilities])
figure
