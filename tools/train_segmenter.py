"""Train the bundled lung segmenter anew: python -m tools.train_segmenter --data DIR --masks DIR.

MASKS holds lung fields that people drew of train radiographs, {NORMAL,PNEUMONIA}/STEM.png, white
inside the lungs. Only the training part of the split is used; Dice is measured on validation.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tqdm import tqdm

from pneumo.data import dataset
from pneumo.models.card import BUNDLED
from pneumo.models.lungs import both_lungs, find_lungs
from pneumo.models.preprocess import Preprocessing
from pneumo.training.segmenter import dice, train_segmenter


def main() -> None:
    """Train, measure and write lungs.safetensors (float16)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--masks", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, default=BUNDLED / "lungs.safetensors", metavar="FILE")
    args = parser.parse_args()
    preprocessing = Preprocessing(size=224)
    split = dataset.validation_split(dataset.samples(args.data, "train"))
    squares = [dataset.load_squares(part, preprocessing) for part in split]
    masks = [dataset.load_lungs(part, args.masks, preprocessing) for part in split]
    drawn = sorted(masks[0])
    with tqdm(unit="step") as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        network, held_out = train_segmenter(
            squares[0][drawn], np.stack([masks[0][i] for i in drawn]), progress=progress
        )
    found = find_lungs(network, squares[1])
    scores = [dice(found[i] > 127, mask > 127) for i, mask in masks[1].items()]
    both = np.mean([both_lungs(field) is not None for field in found])
    print(
        f"Dice {held_out:.3f} on masks left out of training, {np.mean(scores):.3f} on validation "
        f"(n = {len(scores)}); both lungs in {both:.1%} of {len(found)} validation radiographs."
    )
    weights = {
        name: (value.to(torch.float16) if value.is_floating_point() else value).contiguous()
        for name, value in network.state_dict().items()
    }
    save_file(weights, args.out)
    print(f"Saved {args.out}.")


if __name__ == "__main__":
    main()
