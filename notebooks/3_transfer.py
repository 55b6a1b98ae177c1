# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 3. Transfer learning with ResNet-18
#
# Two phases: first the head alone, on features that ImageNet taught; then `layer4` and the head.
#
# The bundled starting weights end at `layer3`, so `layer4` starts from random numbers in phase 1.
# `INIT = "imagenet"` downloads torchvision's whole network instead (45 MB).

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
INIT = None
EPOCHS, RADIOGRAPHS = int(os.environ.get("PNEUMO_EPOCHS", "3")), 150  # of each class

work = Path(tempfile.mkdtemp())
table = dataset.samples(DATA, "train")
for label, name in enumerate(dataset.CLASSES):
    (work / "data/train" / name).mkdir(parents=True)
    for sample in gallery.of_class(table, label, RADIOGRAPHS):
        (work / "data/train" / name / sample.path.name).symlink_to(sample.path.resolve())

# %%
body = ["conv1", "bn1", "layer1", "layer2", "layer3"]
network = build("resnet18")
for name, module in network.named_children():
    print(f"{name:10}", sum(p.numel() for p in module.parameters()), "parameters")


# %%
def phase(number: int, frozen: list[str], init: str | None, rate: float) -> list[dict]:
    """Train with some modules frozen; the learning curve."""
    changes = {"epochs": EPOCHS, "frozen": frozen, "learning_rate": rate, "adult_p": 0}
    recipe = load_recipe("resnet18", {name: str(value) for name, value in changes.items()})
    train(recipe, work / "data", work / f"phase{number}", init)
    return json.loads((work / f"phase{number}/run.json").read_text())["history"]


first = phase(1, [*body, "layer4"], INIT, 2e-3)
second = phase(2, body, str(work / "phase1/weights.safetensors"), 4e-4)

# %% [markdown]
# **Question:** how much does each phase add, and what would full training add?

# %%
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
areas = [entry["validation_auc"] for entry in (*first, *second)]
axes.plot(range(1, len(areas) + 1), areas, "o-")
axes.axvline(len(first) + 0.5, linestyle=":", color="gray")
axes.set(xlabel="epoch (phase 2 right of the line)", ylabel="validation AUC")
