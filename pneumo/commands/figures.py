"""pneumo figures: the pictures of the course's notebooks, drawn into a folder.

Data, samples, Grad-CAM of both classes, ROC, confusion, training curves and missed pneumonias. The
radiographs are the validation fold of DIR/train; the test set is not scored.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pneumo.data import dataset
from pneumo.data.audit import audit
from pneumo.data.audit_plot import draw as draw_audit
from pneumo.models.checkpoint import available_models, load_checkpoint
from pneumo.reading.reader import Reader
from pneumo.reporting import figures, gallery


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-command's arguments."""
    add = parser.add_argument
    text = "the dataset (default: data)"
    add("--data", type=Path, default=Path("data"), metavar="DIR", help=text)
    text = "default: %(default)s"
    add("--out", type=Path, default=Path("results/figures"), metavar="DIR", help=text)


def run(args: argparse.Namespace) -> int:
    """Draw everything and name the files.

    Raises:
        DataError, CheckpointError: each with a sentence.
    """
    held_out = dataset.validation_split(dataset.samples(args.data, "train"))[1]
    checkpoints = [load_checkpoint(name) for name in available_models()]
    args.out.mkdir(parents=True, exist_ok=True)
    draw_audit(audit(args.data), args.out / "data.png")
    made = {"samples": gallery.samples(held_out)}
    for checkpoint in checkpoints:
        reader = Reader(checkpoint, input_check=False)
        for label, name in enumerate(dataset.CLASSES):
            made[f"gradcam-{checkpoint.name}-{name.lower()}"] = gallery.maps(
                reader, held_out, label
            )
    made["missed"] = gallery.missed(checkpoints, held_out)[1]
    for stem, figure in made.items():
        figure.savefig(args.out / f"{stem}.png", dpi=110)
    figures.draw([checkpoint.card for checkpoint in checkpoints], args.out, ".png")
    for path in sorted(args.out.glob("*.png")):
        print(path)
    return 0
