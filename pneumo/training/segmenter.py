"""A small lung segmenter: gives every training film a lung field, learned from the drawn ones."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from pneumo.data.memory import Films
from pneumo.data.transforms import Augmentation, augment, generator
from pneumo.models.preprocess import Preprocessing

SIDE = 112
BATCH = 16
# Fields smaller than this share of the film are islands, not lungs.
ISLAND = 1 / 100


class LungSegmenter(nn.Module):
    """A U-Net (Ronneberger et al. 2015) of three levels, 16, 32 and 64 channels wide."""

    def __init__(self) -> None:
        super().__init__()
        widths = (16, 32, 64)
        self.down = nn.ModuleList(
            _block(i, o) for i, o in zip((1, *widths[:-1]), widths, strict=True)
        )
        self.bottom = _block(64, 64)
        self.up = nn.ModuleList(
            _block(i + o, o) for i, o in ((64, 64), (64, 32), (32, 16))
        )
        self.out = nn.Conv2d(16, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of lung: (N, 1, S, S) to (N, 1, S, S), S a multiple of 8."""
        kept = []
        for block in self.down:
            x = block(x)
            kept.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.bottom(x)
        for block, skip in zip(self.up, reversed(kept), strict=True):
            x = block(torch.cat([functional.interpolate(x, scale_factor=2), skip], 1))
        return self.out(x)


def _block(channels_in: int, channels: int) -> nn.Sequential:
    layers = []
    for first in (channels_in, channels):
        layers += [nn.Conv2d(first, channels, 3, padding=1, bias=False),
                   nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def overlap(predicted: np.ndarray, drawn: np.ndarray) -> float:
    """Dice's coefficient (1945) of two boolean masks, 0 to 1; 1 when both are empty."""
    total = int(predicted.sum()) + int(drawn.sum())
    return 2 * int((predicted & drawn).sum()) / total if total else 1.0


def train_segmenter(
    films: Films, preprocessing: Preprocessing, seed: int, epochs: int = 8,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[LungSegmenter, float]:
    """Learn from nine tenths of the drawn lung fields; measure on the last tenth.

    Args:
        films: with at least ten lung fields.
        preprocessing: normalisation; its size is replaced by 112 pixels.
        seed: of everything random.
        epochs: over the drawn fields.
        progress: called after each step with (steps done, all steps).

    Returns:
        the segmenter in eval mode, and the mean Dice coefficient on the last tenth.

    Raises:
        ValueError: with fewer than ten lung fields.
    """
    if len(films.lungs) < 10:
        raise ValueError(
            f"{len(films.lungs)} lung masks are too few to learn lung fields from; ten are the "
            "least."
        )
    torch.manual_seed(seed)
    order = generator(seed, 5).permutation(sorted(films.lungs))
    held, used = order[: len(order) // 10], order[len(order) // 10 :]
    network = LungSegmenter()
    steps = epochs * -(-len(used) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, max(steps, 4))
    for done, indices in enumerate(_passes(used, epochs, seed), 1):
        x, y = _pairs(films, indices, preprocessing, (seed, 6, done))
        logits = network(x)
        p = logits.sigmoid()
        dice = 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)
        loss = functional.binary_cross_entropy_with_logits(logits, y) + dice
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        progress(done, steps)
    network.eval()
    found = predict_lungs(network, films.squares[held], preprocessing)
    dices = [overlap(f > 127, films.lungs[int(i)] > 127) for f, i in zip(found, held, strict=True)]
    return network, float(np.mean(dices))


def predict_lungs(
    network: LungSegmenter, squares: np.ndarray, preprocessing: Preprocessing
) -> np.ndarray:
    """Lung fields of films: uint8 (N, S, S) to uint8 (N, S, S), 0 outside and 255 inside."""
    small = replace(preprocessing, size=SIDE)
    result = np.empty_like(squares)
    for i in range(0, len(squares), 64):
        part = np.stack([small.square(s) for s in squares[i : i + 64]])
        with torch.inference_mode():
            probability = network(small.tensor(part)).sigmoid().squeeze(1).numpy()
        for j, p in enumerate(probability):
            result[i + j] = _field(p, squares.shape[1])
    return result


def with_all_lungs(
    films: Films, preprocessing: Preprocessing, seed: int, cache: Path,
    log: Callable[[str], None] = print,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Films:
    """The films with a lung field for each one in which there is something like lungs.

    Args:
        films: with at least ten drawn fields.
        preprocessing: of the network that is to learn from them.
        seed: of the segmenter.
        cache: file in which the found fields are kept, and taken from when films, drawn fields
            and seed are the same.
        log: told what was found, and how well.
        progress: of the segmenter's steps.

    Raises:
        ValueError: with fewer than ten drawn fields.
    """
    total = hashlib.sha256(f"{seed} {sorted(films.lungs)} {SIDE}".encode())
    for part in (films.squares, *films.lungs.values()):
        total.update(np.ascontiguousarray(part).tobytes())
    key = total.hexdigest()
    if cache.is_file():
        with np.load(cache) as kept:
            if str(kept["key"]) == key:
                return _with_found(films, np.unpackbits(kept["bits"], axis=-1) * np.uint8(255))
    network, dice = train_segmenter(films, preprocessing, seed, progress=progress)
    fields = predict_lungs(network, films.squares, preprocessing)
    part = cache.with_suffix(".part.npz")  # a kill must not leave half a file behind
    np.savez(part, key=key, bits=np.packbits(fields > 127, axis=-1))
    os.replace(part, cache)
    log(
        f"Lung fields of {len(films.labels)} films found by a network that learned from "
        f"{len(films.lungs)} drawn ones; Dice {dice:.3f} on those it was not shown."
    )
    return _with_found(films, fields)


def _with_found(films: Films, fields: np.ndarray) -> Films:
    found = {
        i: f for i, f in enumerate(fields)
        if i not in films.lungs and (f > 127).mean() > 5 * ISLAND
    }
    return replace(films, found=found)


def _field(probability: np.ndarray, side: int) -> np.ndarray:
    large = cv2.resize(probability, (side, side), interpolation=cv2.INTER_LINEAR) > 0.5
    count, labels, stats, _ = cv2.connectedComponentsWithStats(large.astype(np.uint8))
    keep = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] > ISLAND * side * side]
    return (np.isin(labels, keep) * 255).astype(np.uint8)


def _passes(indices: np.ndarray, epochs: int, seed: int) -> Iterator[np.ndarray]:
    for epoch in range(epochs):
        order = generator(seed, 7, epoch).permutation(indices)
        for i in range(0, len(order), BATCH):
            yield order[i : i + BATCH]


def _pairs(
    films: Films, indices: np.ndarray, preprocessing: Preprocessing, key: tuple[int, ...]
) -> tuple[torch.Tensor, torch.Tensor]:
    spec = Augmentation(crop=0.6)
    made = [
        augment(films.squares[i], generator(*key, place), spec, SIDE, [films.lungs[int(i)]])
        for place, i in enumerate(indices)
    ]
    x = replace(preprocessing, size=SIDE).tensor(np.stack([film for film, _ in made]))
    return x, torch.from_numpy(np.stack([masks[0] for _, masks in made]) > 127)[:, None].float()
