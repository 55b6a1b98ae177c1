"""Trains the lung segmenter from lung fields drawn by people; the networks need only the result."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional

from pneumo.data.transforms import Augmentation, augment, generator
from pneumo.models.lungs import PREPROCESSING, LungSegmenter, find_lungs

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
