"""From trained weights to a checkpoint: calibration, operating points, metrics, card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve
from torch import nn

from pneumo.models.calibration import Calibration
from pneumo.models.gradcam import evidence
from pneumo.models.preprocess import Preprocessing
from pneumo.training.augment import degraded_copies
from pneumo.training.dataset import Film
from pneumo.training.memory import Films, logits
from pneumo.training.metrics import score

# Strengths of the validation copies: as they are, mildly and strongly degraded.
STRENGTHS = (0.0, 0.4, 0.8)
TARGET = 0.97


def validation_logits(
    network: nn.Module, films: Films, preprocessing: Preprocessing, seed: int
) -> dict[str, np.ndarray]:
    """Logits of the validation films and of their degraded copies, each float64 (N,)."""
    copies = {"clean": films.squares}
    for strength in STRENGTHS[1:]:
        copies[f"degraded {strength}"] = degraded_copies(films.squares, seed, strength)
    return {name: logits(network, squares, preprocessing) for name, squares in copies.items()}


def fit_calibration(values: np.ndarray, labels: np.ndarray) -> Calibration:
    """Platt scaling with the classes weighted alike; logits and 0/1 labels, (N,)."""
    model = LogisticRegression(C=1e6, class_weight="balanced").fit(values[:, None], labels)
    return Calibration(float(model.coef_[0, 0]), float(model.intercept_[0]))


def operating_thresholds(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, dict]:
    """Thresholds on the calibrated probability, with the rule that gave each.

    balanced: sensitivity and specificity are nearest to each other. high_sensitivity: the
    largest threshold that keeps a sensitivity of `TARGET`; high_specificity likewise. Both are
    kept on their side of the balanced one.
    """
    false_positive, sensitivity, thresholds = roc_curve(labels, probabilities)
    specificity = 1 - false_positive
    balanced = float(thresholds[np.argmin(np.abs(sensitivity - specificity))])
    sensitive = float(thresholds[np.argmax(sensitivity >= TARGET)])
    specific = float(thresholds[np.flatnonzero(specificity >= TARGET)[-1]])
    return {
        "balanced": {
            "threshold": _clip(balanced),
            "rule": "sensitivity and specificity nearest to each other on validation",
        },
        "high_sensitivity": {
            "threshold": _clip(min(sensitive, balanced)),
            "rule": f"sensitivity of at least {TARGET} on validation",
        },
        "high_specificity": {
            "threshold": _clip(max(specific, balanced)),
            "rule": f"specificity of at least {TARGET} on validation",
        },
    }


def _clip(threshold: float) -> float:
    # roc_curve's first threshold is infinite.
    return round(float(np.clip(threshold, 0.01, 0.99)), 4)


def rates(labels: np.ndarray, probabilities: np.ndarray, threshold: float) -> dict:
    """Sensitivity and specificity with exact 95 % intervals (Clopper and Pearson 1934)."""
    calls = probabilities >= threshold
    result = {}
    for name, right in (("sensitivity", calls[labels == 1]), ("specificity", ~calls[labels == 0])):
        k, n = int(right.sum()), len(right)
        low = float(beta.ppf(0.025, k, n - k + 1)) if k else 0.0
        high = float(beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
        result[name] = {"value": k / n, "low": low, "high": high, "n": n}
    return result


def curve(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, list[float]]:
    """Sensitivity and specificity at thresholds 0, 0.01 ... 1, for live display."""
    thresholds = np.round(np.linspace(0, 1, 101), 2)
    at = [(probabilities >= t) for t in thresholds]
    return {
        "threshold": thresholds.tolist(),
        "sensitivity": [round(float(a[labels == 1].mean()), 4) for a in at],
        "specificity": [round(float((~a)[labels == 0].mean()), 4) for a in at],
    }


def heat_scale(network: nn.Module, films: Films, preprocessing: Preprocessing) -> float:
    """Value at which the colour map of the evidence ends: 95th percentile, over validation
    pneumonias, of the strongest evidence in a film. One number for all films of the network."""
    network.eval()
    peaks = []
    chosen = films.squares[films.labels == 1]
    for i in range(0, len(chosen), 64):
        _, heat = evidence(network, preprocessing.tensor(chosen[i : i + 64]))
        peaks.append(heat.amax((1, 2)).numpy())
    return float(np.percentile(np.concatenate(peaks), 95))


def judge(
    network: nn.Module, films: Films, preprocessing: Preprocessing, seed: int
) -> dict:
    """The parts of the card that validation decides.

    Args:
        network: rounded to its stored precision, on the CPU, in eval mode.
        films: the validation films.
        preprocessing: of the network.
        seed: of the degraded copies.

    Returns:
        calibration, operating_points, curve, heat and metrics.validation.
    """
    outputs = validation_logits(network, films, preprocessing, seed)
    pooled, y = np.concatenate(list(outputs.values())), np.tile(films.labels, len(outputs))
    calibration = fit_calibration(pooled, y)
    probabilities = {name: calibration.probability(v) for name, v in outputs.items()}
    everything = np.concatenate(list(probabilities.values()))
    points = operating_thresholds(everything, y)
    for point in points.values():
        point["validation"] = rates(y, everything, point["threshold"])
    threshold = points["balanced"]["threshold"]
    return {
        "calibration": calibration.record(),
        "operating_points": points,
        "curve": {"on": "validation films and their degraded copies", **curve(y, everything)},
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


def describe_data(train: Sequence[Film], validation: Sequence[Film], fingerprint: str) -> dict:
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
        "fingerprint": fingerprint,
        "training": side(train),
        "validation": side(validation),
    }


def versions() -> dict[str, str]:
    """Versions of what computes: torch, torchvision, numpy, opencv-python, Pillow, scikit-learn."""
    names = ("torch", "torchvision", "numpy", "opencv-python", "pillow", "scikit-learn")
    return {name: version(name) for name in names}


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


def to_cpu(network: nn.Module) -> nn.Module:
    """The network on the CPU, in eval mode, in the plain memory layout."""
    return network.to("cpu", memory_format=torch.contiguous_format).eval()
