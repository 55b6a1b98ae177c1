# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 1. The data
#
# Children's chest radiographs of one hospital (Kermany et al. 2018, CC BY 4.0). Get them with
# `pneumo data download`, or name their folder in the variable `PNEUMO_DATA`. For a look at fewer
# radiographs, `pneumo examples download` fetches sixteen.

# %%
# %matplotlib inline
import os
from collections import Counter
from pathlib import Path

from pneumo.data import dataset
from pneumo.data.audit import audit
from pneumo.reporting import gallery

DATA = Path(os.environ.get("PNEUMO_DATA", "data"))
table = dataset.samples(DATA, "train")
print(dataset.facts(table))

# %% [markdown]
# Several radiographs may show the same child. A split by radiograph would test a network on
# children it has seen, so the validation radiographs are those of other patients.

# %%
training, validation = dataset.validation_split(table)
patients = [{sample.group for sample in part} for part in (training, validation)]
print(len(training), "to train on,", len(validation), "for validation")
print("patients in both:", len(patients[0] & patients[1]))
print("most radiographs of one patient:", Counter(s.group for s in table).most_common(3))

# %%
figure = gallery.samples(validation)
figure

# %% [markdown]
# ## Does the file alone give the label away?
#
# The audit measures sharpness and compression. An AUC far from 0.5 means that a network could learn
# the file instead of the disease. **Question:** what would you do about it before training?

# %%
found = audit(DATA)
for split, part in found.record()["splits"].items():
    print(split, part["classes"], part["normal_is_higher_auc"])
