"""The figures of docs/figures, drawn from the checkpoints' json files and from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from pneumo.reporting import figure_scores, figure_training
from pneumo.reporting.figure_style import settings, write

# File stem -> what it shows, and how it is made of the cards; None where they lack the numbers.
FIGURES: dict[str, tuple[str, Callable[[Sequence[dict]], Figure | None]]] = {
    "roc": ("ROC with the operating points", figure_scores.roc),
    "precision-recall": ("precision and recall", figure_scores.precision),
    "confusion": ("confusion matrices", figure_scores.confusion),
    "reliability": ("reliability diagram", figure_scores.reliability),
    "scores": ("scores by class", figure_scores.scores),
    "comparison": ("networks compared, with missed pneumonias", figure_scores.comparison),
    "training": ("course of training", figure_training.training),
    "corruptions": ("spoiled films", figure_training.corruptions),
}


def draw(cards: Sequence[dict], folder: Path, suffix: str = ".svg") -> list[Path]:
    """Draw every figure that the cards have numbers for, and remove those they have none for.

    Args:
        cards: json cards of the networks, in the order they are shown.
        folder: where the files go; made if it is missing.
        suffix: ".svg" gives the same bytes for the same numbers; ".png" is for looking at.

    Returns:
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with settings():
        for stem, (_, make) in FIGURES.items():
            path, figure = folder / f"{stem}{suffix}", make(cards)
            if figure is None:
                path.unlink(missing_ok=True)  # of replaced weights
            else:
                write(figure, path)
                written.append(path)
    return written
