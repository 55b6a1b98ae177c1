"""Train the bundled lung segmenter anew: python -m tools.train_segmenter --data DIR --masks DIR.

MASKS holds lung fields that people drew of train radiographs, {NORMAL,PNEUMONIA}/STEM.png, white
inside the lungs. Only the training part of the split is used; Dice is measured on validation.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional
from tqdm import tqdm

from pneumo.data import dataset
from pneumo.data.transforms import Augmentation, augment, generator
from pneumo.models.card import BUNDLED
from pneumo.models.lungs import PREPROCESSING, both_lungs, find_lungs
from pneumo.models.preprocess import Preprocessing
from pneumo.models.segmenter import LungSegmenter

BATCH = 16


def dice(predicted: np.ndarray, drawn: np.ndarray) -> float:
    """Dice's coefficient (1945) of two boolean masks, 0 to 1; 1 when both are empty."""
    total = int(predicted.sum()) + int(drawn.sum())
    return 2 * int((predicted & drawn).sum()) / total if total else 1.0


def train_segmenter(
    squares: np.ndarray,
    masks: np.ndarray,
    seed: int = 0,
    epochs: int = 16,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[LungSegmenter, float]:
    """Learn from nine tenths of the drawn lung fields; measure on the last tenth.

    Args:
        squares, masks: uint8, (N, S, S), N at least ten; masks 0 or 255.
        seed: of everything random.
        epochs: over the drawn fields.
        progress: called after each step with (steps done, all steps).

    Returns:
        the segmenter in eval mode, and the mean Dice coefficient on the last tenth.

    Raises:
        ValueError: with fewer than ten lung fields.
    """
    if len(masks) < 10:
        raise ValueError(f"{len(masks)} lung masks are too few to train from; ten are the least.")
    torch.manual_seed(seed)
    order = generator(seed, 5).permutation(len(masks))
    held, used = order[: len(order) // 10], order[len(order) // 10 :]
    network = LungSegmenter()
    steps = epochs * -(-len(used) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, max(steps, 4))
    spec, done = Augmentation(crop=0.6), 0
    for epoch in range(epochs):
        shuffled = generator(seed, 7, epoch).permutation(used)
        for i in range(0, len(shuffled), BATCH):
            done += 1
            pairs = [
                augment(
                    squares[k],
                    generator(seed, 6, done, place),
                    spec,
                    PREPROCESSING.size,
                    [masks[k]],
                )
                for place, k in enumerate(shuffled[i : i + BATCH])
            ]
            x = PREPROCESSING.tensor(np.stack([image for image, _ in pairs]))
            y = torch.from_numpy(np.stack([m[0] for _, m in pairs]) > 127)[:, None].float()
            logits = network(x)
            p = logits.sigmoid()
            overlap = 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)
            loss = functional.binary_cross_entropy_with_logits(logits, y) + overlap
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            progress(done, steps)
    network.eval()
    found = find_lungs(network, squares[held])
    scores = [dice(f > 127, masks[k] > 127) for f, k in zip(found, held, strict=True)]
    return network, float(np.mean(scores))


def load_lungs(
    table: Sequence[dataset.Sample], folder: Path, preprocessing: Preprocessing
) -> dict[int, np.ndarray]:
    """Drawn lung fields: index in the table -> uint8 (size, size), 0 or 255."""
    masks = {}
    for i, sample in enumerate(table):
        path = folder / sample.path.parent.name / f"{sample.path.stem}.png"
        if path.is_file():
            masks[i] = preprocessing.square(np.asarray(Image.open(path).convert("L")))
    return masks


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
    masks = [load_lungs(part, args.masks, preprocessing) for part in split]
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
