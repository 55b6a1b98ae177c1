# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 4. Grad-CAM of normal and pneumonia
#
# The bundled networks on radiographs that they were not trained on. Colour shows where evidence for
# pneumonia lies, on one scale for all radiographs; the title has the probability and the zone with
# most evidence, on the patient's side.

# %%
# %matplotlib inline
import os
from pathlib import Path

import pneumo
from pneumo.data import dataset
from pneumo.reporting import gallery

DATA = Path(os.environ.get("PNEUMO_DATA", "data"))
validation = dataset.validation_split(dataset.samples(DATA, "train"))[1]
readers = [pneumo.load(name, input_check=False) for name in pneumo.available_models()]

# %%
normal = [gallery.maps(reader, validation, 0) for reader in readers]
normal[0]

# %%
pneumonia = [gallery.maps(reader, validation, 1) for reader in readers]
pneumonia[0]

# %%
pneumonia[-1]

# %% [markdown]
# ## A map is the network's own arithmetic
#
# Global average pooling and one linear layer follow the last feature map, so the cells' evidence
# adds up to the logit less the bias.

# %%
reading = readers[0].predict(validation[0].path)
print(reading.label, round(reading.probability, 3), reading.evidence.shape)
print("sum of the evidence:", reading.evidence.sum())
for zone in reading.zones:
    print(zone.lung, zone.zone, round(zone.share, 2))

# %% [markdown]
# **Question:** does a map in the right place mean that the prediction is right? Look for one that
# is not, and for a normal radiograph with a hot spot.
