"""From trained weights to a checkpoint: calibration, operating points, metrics, card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import packages_distributions, version
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pneumo.data.dataset import Film, fingerprint
from pneumo.data.memory import Films, logits
from pneumo.data.transforms import COPIES_SEED, degraded_copies
from pneumo.evaluation.metrics import score
from pneumo.evaluation.thresholds import (
    calibration_check,
    curve,
    fit_calibration,
    operating_thresholds,
    rates,
    specificity_by_series,
)
from pneumo.evaluation.uncertain import uncertain_band
from pneumo.models.preprocess import Preprocessing
from pneumo.reading.explanation import evidence

# Strengths of the validation copies, mildly to strongly degraded and reframed. They decide, the
# films as they are do not: those are framed and saved as the training films were, and a
# threshold that fits them is too low elsewhere.
STRENGTHS = (0.4, 0.6, 0.8)


def validation_logits(
    network: nn.Module, films: Films, preprocessing: Preprocessing
) -> dict[str, np.ndarray]:
    """Logits of the validation films and of their degraded copies, each float64 (N,)."""
    copies = {"clean": films.squares}
    for strength in STRENGTHS:
        copies[f"degraded {strength}"] = degraded_copies(
            films.squares, COPIES_SEED, strength
        )
    return {name: logits(network, squares, preprocessing) for name, squares in copies.items()}


def heat_scale(network: nn.Module, films: Films, preprocessing: Preprocessing) -> float:
    """Value at which the colour map of the evidence ends: 95th percentile, over validation
    pneumonias, of the strongest evidence in a film. One number for all films of the network."""
    network.eval()
    device, peaks = next(network.parameters()).device, []
    chosen = films.squares[films.labels == 1]
    for i in range(0, len(chosen), 64):
        _, heat = evidence(network, preprocessing.tensor(chosen[i : i + 64]).to(device))
        peaks.append(heat.amax((1, 2)).cpu().numpy())
    return float(np.percentile(np.concatenate(peaks), 95))


def judge(
    network: nn.Module,
    films: Films,
    preprocessing: Preprocessing,
    groups: Sequence[str] | None = None,
    series: Sequence[str] | None = None,
) -> dict:
    """The parts of the card that validation decides.

    Args:
        network: rounded to its stored precision, in eval mode.
        films: the validation films.
        preprocessing: of the network.
        groups: patient of every film; by default each film is a patient of its own.
        series: of every film, as `dataset.series_of` gives it; by default there is but one.

    Returns:
        calibration, calibration_check, operating_points, uncertain, curve, heat and
        metrics.validation.
    """
    patients = np.arange(len(films.labels)) if groups is None else np.asarray(groups)
    outputs = validation_logits(network, films, preprocessing)
    deciding = [value for name, value in outputs.items() if name != "clean"]
    copies = len(deciding)
    pooled, y = np.concatenate(deciding), np.tile(films.labels, copies)
    calibration = fit_calibration(pooled, y)
    probabilities = {name: calibration.probability(v) for name, v in outputs.items()}
    everything = calibration.probability(pooled)
    of_copies = None if series is None else np.tile(np.asarray(series), copies)
    points = operating_thresholds(everything, y, of_copies, copies)
    for point in points.values():
        point["validation"] = rates(y, everything, point["threshold"], copies)
        by_series = specificity_by_series(y, everything, point["threshold"], of_copies, copies)
        if by_series:
            point["specificity_by_series"] = by_series
    threshold = points["balanced"]["threshold"]
    return {
        "calibration": calibration.record(),
        "calibration_check": calibration_check(pooled, y, np.tile(patients, copies)),
        "operating_points": points,
        "uncertain": uncertain_band(y, everything, threshold, copies, of_copies),
        "curve": {"on": "degraded copies of the validation films", **curve(y, everything)},
        "heat": {
            "scale": heat_scale(network, films, preprocessing),
            "rule": "95th percentile of the strongest evidence in validation pneumonias",
        },
        "metrics": {
            "validation": {
                name: score(films.labels, p, threshold) for name, p in probabilities.items()
            }
        },
    }


def describe_data(train: Sequence[Film], validation: Sequence[Film], of_all: str) -> dict:
    """Counts of films and patients, by kind, and the fingerprint of the train folder."""

    def side(table: Sequence[Film]) -> dict:
        return {
            "films": len(table),
            "patients": len({film.group for film in table}),
            "kinds": dict(sorted(Counter(film.kind for film in table).items())),
        }

    return {
        "name": "Chest X-Ray Images (Pneumonia), Kermany et al. 2018, CC BY 4.0, "
        "DOI 10.17632/rscbjbr9sj",
        "fingerprint": of_all,
        "training": side(train),
        "validation": side(validation),
    }


def describe_adults(films: Sequence[Film]) -> dict:
    """Counts of the adult films that training saw, and by which rule they were chosen."""
    return {
        "films": len(films),
        "patients": len({film.group for film in films}),
        "rule": "every second patient; the others are held out",
        "fingerprint": fingerprint(films),
    }


def versions() -> dict[str, str]:
    """Versions of what computes: torch, torchvision, numpy, OpenCV, Pillow, scikit-learn."""
    names = ("torch", "torchvision", "numpy", "pillow", "scikit-learn")
    # OpenCV comes in packages of several names, a headless one for servers among them.
    opencv = packages_distributions()["cv2"][0]
    return {name: version(name) for name in (*names, opencv)}


def commit(folder: Path) -> str:
    """The commit of the code, with "+" when files differ from it; "unknown" outside of git."""
    import subprocess

    def git(*words: str) -> str:
        run = ["git", "-C", str(folder), *words]
        return subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "*.py")
        return git("rev-parse", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def plain(network: nn.Module) -> nn.Module:
    """The network in eval mode, in the plain memory layout that serving has."""
    return network.to(memory_format=torch.contiguous_format).eval()
