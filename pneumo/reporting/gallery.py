"""Figures of radiographs for a course: samples of both classes, evidence maps, missed pneumonias.

They show images of patients: for the screen or a folder that git ignores, not for publication.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from pneumo.data.dataset import CLASSES, Sample
from pneumo.evaluation.predictions import predict_all
from pneumo.imaging.overlay import blend, colour_layer
from pneumo.imaging.radiograph import read_radiograph
from pneumo.models.checkpoint import Checkpoint
from pneumo.reading.decision import decide
from pneumo.reading.reader import Reader


def of_class(table: Sequence[Sample], label: int, count: int = 8) -> list[Sample]:
    """So many radiographs of a class (1 is pneumonia), evenly spread over the table."""
    found = [sample for sample in table if sample.label == label]
    places = np.linspace(0, len(found) - 1, min(count, len(found))).astype(int)
    return [found[place] for place in places]


def samples(table: Sequence[Sample], count: int = 8) -> Figure:
    """Radiographs of both classes, a row each."""
    chosen = [sample for label in (0, 1) for sample in of_class(table, label, count)]
    pictures = [read_radiograph(sample.path).pixels for sample in chosen]
    titles = [sample.kind for sample in chosen]
    return grid("Radiographs by class", pictures, titles, count)


def maps(reader: Reader, table: Sequence[Sample], label: int, count: int = 8) -> Figure:
    """Radiographs of a class above the same ones under a network's evidence for pneumonia."""
    plain: list[np.ndarray] = []
    shown: list[np.ndarray] = []
    titles: list[str] = []
    for sample in of_class(table, label, count):
        radiograph = read_radiograph(sample.path)
        reading = reader.read_radiograph(radiograph, input_check=False)
        assert reading.evidence is not None
        shape = radiograph.pixels.shape
        layer = colour_layer(reading.evidence, (shape[0], shape[1]), reader.card.evidence.scale)
        plain.append(radiograph.pixels)
        shown.append(blend(radiograph.pixels, layer))
        titles.append(f"{reading.probability:.0%}, {reading.strongest_zone or 'no side'}")
    heading = f"Grad-CAM, {reader.card.title}: {CLASSES[label]}"
    return grid(heading, plain + shown, [""] * len(plain) + titles, max(1, len(plain)))


def missed(
    checkpoints: Sequence[Checkpoint], table: Sequence[Sample], most: int = 8
) -> tuple[list[tuple[Sample, list[float]]], Figure]:
    """Pneumonias that some network calls unlikely (decisive), each with its balanced probability by
    every network, lowest sum first; and the first `most` of them as a figure."""
    pneumonias = [sample for sample in table if sample.label]
    found = [predict_all(checkpoint, table) for checkpoint in checkpoints]
    values = [dict(zip(one.table, one.probabilities.tolist(), strict=True)) for one in found]
    rows = []
    for sample in pneumonias:
        given = [value[sample] for value in values if sample in value]
        labels = [
            decide(p, checkpoint.card.policies["decisive"].policy)
            for p, checkpoint in zip(given, checkpoints, strict=False)
        ]
        if "NORMAL" in labels:
            rows.append((sample, given))
    rows.sort(key=lambda row: sum(row[1]))
    shown = rows[:most]
    titles = [
        "\n".join(f"{one.card.title} {p:.0%}" for one, p in zip(checkpoints, given, strict=False))
        for _, given in shown
    ]
    pictures = [read_radiograph(sample.path).pixels for sample, _ in shown]
    heading = f"{len(rows)} of {len(pneumonias)} pneumonias missed by a network"
    return rows, grid(heading, pictures, titles, 4)


def grid(
    heading: str, pictures: Sequence[np.ndarray], titles: Sequence[str], columns: int
) -> Figure:
    """Pictures, uint8 (H, W) or (H, W, 3), in rows of so many columns, each with its title."""
    rows = max(1, -(-len(pictures) // columns))
    figure = Figure(figsize=(1.9 * columns, 2.2 * rows + 0.5), layout="constrained")
    figure.suptitle(heading, fontsize=12)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for panel in panels:
        panel.axis("off")
    for panel, picture, title in zip(panels, pictures, titles, strict=False):
        panel.imshow(picture, cmap="gray", vmin=0, vmax=255)
        panel.set_title(title, fontsize=7)
    return figure
