"""Localization: does the evidence lie where the disease is? Measured where the answer is known.

Each measure stands beside that of the mean map of its set, which a map that never changes reaches.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from scipy.stats import rankdata

from pneumo.data import dataset
from pneumo.data.composites import composite, midline
from pneumo.evaluation.metrics import auc_estimate, bootstrap
from pneumo.evaluation.predictions import validation_images
from pneumo.imaging.opacity import insert_opacity
from pneumo.imaging.radiograph import read_radiograph
from pneumo.models.card import BUNDLED, Estimate, LocalizationRow
from pneumo.models.checkpoint import Checkpoint
from pneumo.models.lungs import both_lungs, find_lungs
from pneumo.models.networks import Network
from pneumo.models.preprocess import Preprocessing
from pneumo.models.segmenter import load_segmenter
from pneumo.reading import zones
from pneumo.reading.explanation import evidence

ZONES = tuple(f"{lung} {zone}" for lung in zones.LUNGS for zone in zones.ZONES)
# Radius and density of inserted opacities, as a share of the image's side and of the air replaced.
OPACITY_RADIUS = (0.08, 0.13)
OPACITY_STRENGTH = 0.9
PAINT = 128

Table = dict[str, LocalizationRow]
Mapper = Callable[[Sequence[np.ndarray] | np.ndarray], "Maps"]


@dataclass(frozen=True, eq=False)
class Maps:
    """Evidence maps of a set of images: logits (N,) and maps (N, h, w), float64, signed."""

    logits: np.ndarray
    evidence: np.ndarray

    def constant(self) -> np.ndarray:
        """The mean of the positive evidence, (h, w)."""
        return np.maximum(self.evidence, 0).mean(0)

    def __getitem__(self, chosen: Sequence[int] | np.ndarray) -> Maps:
        return Maps(self.logits[chosen], self.evidence[chosen])


def maps_of(
    network: Network, preprocessing: Preprocessing, squares: Sequence[np.ndarray] | np.ndarray
) -> Maps:
    """Logits and evidence maps of images, uint8 (S, S), of any sides."""
    network.eval()
    logits, maps = [], []
    for i in range(0, len(squares), 32):
        part = np.stack([preprocessing.square(s) for s in squares[i : i + 32]])
        logit, found = evidence(network, preprocessing.tensor(part))
        logits.append(logit.double().numpy())
        maps.append(found.double().numpy())
    return Maps(np.concatenate(logits), np.concatenate(maps))


def enlarged(evidence: np.ndarray, side: int) -> np.ndarray:
    """Positive evidence (h, w) at the resolution of the image, float (side, side), bilinear."""
    large = cv2.resize(evidence.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    return np.maximum(large, 0)


def share_inside(evidence: np.ndarray, region: np.ndarray) -> float:
    """Share of the positive evidence (h, w) inside a region, bool (S, S); 0 where there is none."""
    large = enlarged(evidence, len(region))
    total = float(large.sum())
    return float(large[region].sum()) / total if total > 0 else 0.0


def peak_inside(evidence: np.ndarray, region: np.ndarray) -> float:
    """1 when the strongest evidence lies inside a region, bool (S, S), else 0."""
    large = enlarged(evidence, len(region))
    return float(region[np.unravel_index(int(large.argmax()), large.shape)])


def composites_table(
    maps_of: Mapper, squares: np.ndarray, labels: np.ndarray, lungs: np.ndarray, most: int = 120
) -> Table:
    """Composites of a pneumonia's hemithorax beside a normal one's, both ways round; squares and
    lungs (0 or 255) are uint8 (N, S, S)."""
    found = np.array([both_lungs(field) is not None for field in lungs])
    sick, well = np.flatnonzero(found & (labels == 1)), np.flatnonzero(found & (labels == 0))
    sick = sick[np.linspace(0, len(sick) - 1, min(most, len(sick))).astype(int)]
    images, regions = [], []
    for number, i in enumerate(sick):
        j = well[number % len(well)]
        for left in (True, False):
            image, _, _ = composite(squares[i], lungs[i], squares[j], lungs[j], left)
            columns = np.arange(image.shape[1]) < midline(lungs[i])
            images.append(image)
            regions.append(np.tile(columns if left else ~columns, (len(image), 1)))
    maps, of = maps_of(images), np.repeat(sick, 2).tolist()

    def right(evidence: np.ndarray, region: np.ndarray) -> float:
        return float(share_inside(evidence, region) > 0.5)

    return {
        "composites_share": _measure(maps, regions, share_inside, of),
        "composites_right": _measure(maps, regions, right, of),
    }


def mirror_table(maps_of: Mapper, squares: np.ndarray, labels: np.ndarray) -> Table:
    """Rank correlation of mirrored maps, and how alike the maps of different radiographs are."""
    maps = maps_of(squares).evidence
    mirrored = maps_of(np.ascontiguousarray(squares[..., ::-1])).evidence
    ranks = [
        np.corrcoef(rankdata(a), rankdata(b[:, ::-1]))[0, 1]
        for a, b in zip(maps, mirrored, strict=True)
    ]
    flat = maps[labels == 1].reshape(int((labels == 1).sum()), -1)
    alike = np.corrcoef(flat)
    np.fill_diagonal(alike, np.nan)
    return {
        "mirror_agreement": _estimate(np.array(ranks)),
        "maps_alike": _estimate(np.nanmean(alike, 1)),
    }


def opacities_table(
    maps_of: Mapper, squares: np.ndarray, lungs: np.ndarray, most: int = 60
) -> Table:
    """Inserted opacities of known place in normal radiographs, one in each of six lung zones."""
    rng = np.random.default_rng(0)
    images, regions, places = [], [], []
    of: list[int] = []
    for i, (square, field) in enumerate(zip(squares, lungs, strict=True)):
        sides = both_lungs(field)
        if sides is None or len(set(of)) >= most:
            continue
        parts = [part for lung in sides for part in zones.thirds(lung)]
        for zone, lung in zip(ZONES, parts, strict=True):
            core = cv2.erode(lung.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
            rows, columns = np.nonzero(core if core.any() else lung)
            place = rng.integers(len(rows))
            image, mask = insert_opacity(
                square,
                (float(columns[place]), float(rows[place])),
                float(rng.uniform(*OPACITY_RADIUS)) * len(square),
                OPACITY_STRENGTH,
                rng,
            )
            if mask.sum() < 50:  # before the heart no air is left to replace
                continue
            images.append(image)
            regions.append(mask)
            places.append(zone)
            of.append(i)
    maps = maps_of(images)
    table = {
        "opacities_peak": _measure(maps, regions, peak_inside, of),
        "opacities_share": _measure(maps, regions, share_inside, of),
    }
    for zone in ZONES:
        chosen = [k for k, name in enumerate(places) if name == zone]
        table[f"opacities_peak_{zone.replace(' ', '_')}"] = _measure(
            maps[chosen], [regions[k] for k in chosen], peak_inside, None, maps.constant()
        )
    return table


def boxes_table(maps_of: Mapper, folder: Path) -> Table:
    """Boxes in `folder/boxes.csv` (file, x, y, width, height, in pixels), drawn by radiologists
    around pneumonias of `folder/images`."""
    boxes: dict[str, list[tuple[float, ...]]] = {}
    with (folder / "boxes.csv").open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            numbers = tuple(float(row[name]) for name in ("x", "y", "width", "height"))
            boxes.setdefault(row["file"], []).append(numbers)
    images, regions, sides = [], [], []
    for name, drawn in boxes.items():
        pixels = read_radiograph(folder / "images" / name).pixels
        height, width = pixels.shape
        images.append(pixels)
        region = np.zeros((256, 256), bool)
        for x, y, w, h in drawn:
            rows = slice(int(256 * y / height), int(np.ceil(256 * (y + h) / height)))
            region[rows, int(256 * x / width) : int(np.ceil(256 * (x + w) / width))] = True
        regions.append(region)
        # The image's middle stands for the chest's; a box that crosses it is on neither side.
        edges = [(x / width, (x + w) / width) for x, _, w, _ in drawn]
        left, right = all(e < 0.53 for _, e in edges), all(s > 0.47 for s, _ in edges)
        sides.append(left if left != right else None)
    maps = maps_of(images)
    one = [k for k, side in enumerate(sides) if side is not None]
    left_half = np.tile(np.arange(256) < 128, (256, 1))
    half_regions = [left_half if sides[k] else ~left_half for k in one]
    return {
        "boxes_peak": _measure(maps, regions, peak_inside),
        "boxes_share": _measure(maps, regions, share_inside),
        "boxes_side_share": _measure(maps[one], half_regions, share_inside),
    }


def lungs_table(
    maps_of: Mapper, squares: np.ndarray, labels: np.ndarray, lungs: np.ndarray, threshold: float
) -> Table:
    """Evidence and accuracy in and without the lungs; the threshold is on the logit."""
    maps = maps_of(squares)
    called = np.flatnonzero((labels == 1) & (maps.logits >= threshold) & lungs.any((1, 2)))
    fields = [lungs[k] > 127 for k in called]
    grown = np.stack([cv2.dilate(field, np.ones((5, 5), np.uint8)) for field in lungs])
    only = np.where(grown > 127, squares, PAINT).astype(np.uint8)
    # One shape for all radiographs says nothing about any of them, unlike their own lungs'.
    common = (lungs > 127).mean(0) >= 0.02
    without = np.where(common, PAINT, squares).astype(np.uint8)
    found = {
        "auc_lungs_only": LocalizationRow(auc_estimate(labels, maps_of(only).logits)),
        "auc_lungs_masked": LocalizationRow(auc_estimate(labels, maps_of(without).logits)),
    }
    if len(called):
        found["lungs_share"] = _measure(maps[called], fields, share_inside)
        found["lungs_peak"] = _measure(maps[called], fields, peak_inside)
    return found


def hot_normals(maps_of: Mapper, squares: np.ndarray, scale: float, threshold: float) -> Table:
    """Share of normals called unlikely whose strongest evidence exceeds a quarter of the scale."""
    maps = maps_of(squares)
    strongest = maps.evidence[maps.logits < threshold].max((1, 2))
    return {"normals_hot": _estimate((strongest > scale / 4).astype(float))}


def _measure(
    maps: Maps,
    regions: Sequence[np.ndarray],
    measure: Callable[[np.ndarray, np.ndarray], float],
    groups: Sequence[int] | None = None,
    constant: np.ndarray | None = None,
) -> LocalizationRow:
    """The mean of a measure over images, beside that of the constant map."""
    values = np.array([measure(e, r) for e, r in zip(maps.evidence, regions, strict=True)])
    constant = maps.constant() if constant is None else constant
    of_constant = float(np.mean([measure(constant, region) for region in regions]))
    return _estimate(values, groups, of_constant)


def _estimate(
    values: np.ndarray, groups: Sequence[int] | None = None, constant: float | None = None
) -> LocalizationRow:
    """Mean with a bootstrap interval; images of one group are drawn together."""
    alike, of = np.zeros(len(values)), None if groups is None else np.asarray(groups)
    row = bootstrap(lambda w: w @ values / w.sum(1), alike, of)
    return LocalizationRow(row, None if constant is None else Estimate(constant, None, None, row.n))


def measure(checkpoint: Checkpoint, data: Path, boxes: Path | None = None) -> Table:
    """All measures of a network, on its recipe's validation radiographs of DATA/train.

    `boxes` is a folder as `boxes_table` takes it; a DataError when the data cannot be used.
    """
    maps = partial(maps_of, checkpoint.network, checkpoint.preprocessing)
    card, recipe = checkpoint.card, checkpoint.card.training.recipe
    validation = validation_images(data, recipe, card.data.fingerprint)
    squares = dataset.load_squares(validation, Preprocessing(size=224))
    labels = dataset.labels(validation)
    lungs = find_lungs(load_segmenter(BUNDLED / "lungs.safetensors"), squares)
    normal = labels == 0
    decisive = card.calibration.logit(card.threshold)
    rule_out = card.calibration.logit(card.policies["balanced"].policy.rule_out)
    return {
        **composites_table(maps, squares, labels, lungs),
        **mirror_table(maps, squares, labels),
        **opacities_table(maps, squares[normal], lungs[normal]),
        **lungs_table(maps, squares, labels, lungs, decisive),
        **hot_normals(maps, squares[normal], card.evidence.scale, rule_out),
        **(boxes_table(maps, boxes) if boxes else {}),
    }
