"""RUN folders of a finished training of the stand-in CNN, for the tests of a release."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from pneumo.data import dataset
from pneumo.models.checkpoint import load_checkpoint


def finished_run(folder: Path, stand_ins: Path, data: Path, seed: int = 0, **recipe) -> Path:
    """Fill a new folder with what train.py leaves there; each seed has other weights."""
    table = dataset.samples(data, "train")
    parts = dataset.validation_split(table, 0, 4, 0)
    network = load_checkpoint("cnn", stand_ins).network
    torch.manual_seed(seed)
    with torch.no_grad():
        network.classifier.weight += 1e-3 * torch.randn_like(network.classifier.weight)
    folder.mkdir()
    save_file(network.state_dict(), folder / "weights.safetensors")
    facts = {
        "recipe": {"model": "cnn", "size": 64, "folds": 4, "fold": 0, "seed": seed, **recipe},
        "start": "All weights start from random numbers.",
        "teacher": None,
        "data": {
            "fingerprint": dataset.fingerprint(table),
            "training": dataset.facts(parts[0]),
            "validation": dataset.facts(parts[1]),
        },
        "history": [
            {"epoch": 1, "loss": 0.5, "location_loss": float("nan"), "validation_auc": 0.9,
             "validation_auc_degraded": 0.8, "seconds": 1.0}
        ],
        "command": "python train.py --model cnn", "commit": "", "versions": {"torch": "2"},
        "device": "cpu", "processes": 1, "seconds": 1, "finished": "2026-11-27",
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(facts))
    return folder
