"""A card with every part that a command can add, its numbers measured on made-up scores."""

from __future__ import annotations

import numpy as np

from pneumo.evaluation.metrics import reliability, score
from pneumo.evaluation.thresholds import calibration_check, curve, proportion, rates
from pneumo.evaluation.uncertain import uncertain_band

LUNGS = {"heat_in_lungs": 0.871, "peak_in_lung": 0.983, "auc_only_lungs": 0.968,
         "auc_without_lungs": 0.613}


def made_up_scores(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Labels 0/1 (n,) and probabilities (n,) that mostly agree with them."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.6).astype(np.int64)
    logits = rng.normal(0, 1.5, n) + np.where(labels == 1, 2.0, -2.0)
    return labels, 1 / (1 + np.exp(-logits))


def _lower(threshold: float) -> dict:
    return proportion(int(40 * min(1, 0.8 + 0.2 * threshold)), 40)


def _about(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.05, "high": min(1.0, value + 0.05)}


def whole_card(name: str, title: str, seed: int = 0) -> dict:
    """The card; parts as train.py and the commands write them."""
    y, p = made_up_scores(seed)
    scores = score(y, p, 0.5, count=50)
    points = {
        point: {"threshold": at, "rule": "made up", "validation": rates(y, p, at),
                "test": rates(y, p, at),
                "specificity_by_series": {"IM": proportion(39, 40), "NORMAL2-IM": _lower(at)}}
        for point, at in (("balanced", 0.5), ("high_sensitivity", 0.3), ("high_specificity", 0.7))
    }
    band = uncertain_band(y, p, 0.5)
    spoiled = [
        {"corruption": one, "n": 200, "auc": 0.97, "sensitivity": 0.95, "specificity": value}
        for one, value in (("as it is", 0.951), ("letterboxed", 0.802))
    ]
    before = {"auc": 0.97, "sensitivity": 0.95, "specificity": 0.94}
    interval = {"value": 0.812, "low": 0.781, "high": 0.843}
    return {
        "architecture": {"name": name, "title": title, "parameters": 1234},
        "weights": {"file": f"{name}.safetensors", "sha256": f"{seed:064x}", "bytes": 10,
                    "storage": "float32"},
        "preprocessing": {"size": 96}, "heat": {"scale": 1.0},
        "calibration": {"slope": 1.1, "offset": 0.2},
        "calibration_check": calibration_check(np.log(p / (1 - p)), y, np.arange(len(y))),
        "operating_points": points,
        "uncertain": {**band, "test": {"n": 200, "share": _about(0.081),
                                       "certain_accuracy": _about(0.975),
                                       "coverage_normal": _about(0.97),
                                       "coverage_pneumonia": _about(0.98)},
                      "test_labels": {"balanced": {
                          "NORMAL": {"NORMAL": 71, "UNCERTAIN": 8, "PNEUMONIA": 3},
                          "PNEUMONIA": {"NORMAL": 2, "UNCERTAIN": 9, "PNEUMONIA": 107}}}},
        "curve": {"on": "validation", **curve(y, p)},
        "metrics": {
            "validation": {"clean": scores}, "test": scores, "test_times_scored": 1,
            "test_curve": curve(y, p), "test_reliability": reliability(y, p),
            "test_by_kind": {"bacteria": {"n": 80, "sensitivity": proportion(72, 80)},
                             "virus": {"n": 40, "sensitivity": proportion(36, 40)}},
            "test_by_series": {"IM": proportion(39, 40), "NORMAL2-IM": proportion(37, 42)},
            "corruptions": spoiled,
            "lungs": {"n": 97, "pneumonias": 50, "true_positives": 44, "painted": 0.703, **LUNGS,
                      "auc_boxed_lungs": 0.777, "auc_box_size": 0.828, "everyone": 200,
                      "heat_in_ill_half": 0.91, "two_halves": 100, "halves_called": [31, 29],
                      "auc_without_lungs_everyone": 0.654,
                      "intervals": {"auc_without_lungs": [0.501, 0.724]}},
            "shortcut": {
                "n": 200, "auc": 0.97, "auc_sharpness": 0.822,
                "strata": [{"stratum": "middle third", "n": 67, "positives": 30,
                            "sharpness": [1.0, 2.0], "auc": interval, "auc_sharpness": 0.555}],
                "recompressed": {"bytes_per_pixel": 0.08, "quality": 23.0, "before": before,
                                 "after": {**before, "specificity": 0.931}},
                "jpeg": [{"quality": 20, "mean_change": 0.021, "change_95": 0.1, "flipped": 0.012}],
            },
            "adults": {"source": "NIH ChestX-ray8, a part", "threshold": 0.5, "unread": 0,
                       "rows": [{"view": view, "n": 50, "positives": 20, "patients": 44,
                                 "auc": interval, "sensitivity": interval, "specificity": interval}
                                for view in ("all", "PA", "AP")]},
        },
        "data": {"fingerprint": "f" * 64,
                 "training": {"films": 90, "patients": 80,
                              "kinds": {"bacteria": 30, "normal": 20, "virus": 40}},
                 "validation": {"films": 10, "patients": 9,
                                "kinds": {"bacteria": 3, "normal": 3, "virus": 4}}},
        "training": {
            "command": "python train.py", "commit": "0" * 40, "imbalance": "balanced",
            "selection": "no epoch is picked", "seconds": 60, "device": "cpu", "lung_masks": 9,
            "init": {"source": "nothing"}, "init_sentence": "fresh.", "versions": {"torch": "2"},
            "recipe": {"folds": 10, "frozen_epochs": 0, "epochs": 2, "low_epochs": 0, "seed": 0,
                       "label_smoothing": 0.1, "fold": 0},
            "history": [
                {"epoch": epoch, "phase": "head" if epoch < 2 else "all", "size": 128,
                 "loss": 1 / epoch, "evidence_outside": None, "validation_auc": 0.9,
                 "validation_auc_degraded": 0.89, "learning_rate": 1e-4}
                for epoch in (1, 2, 3)
            ],
        },
        "seeds": [{"seed": seed, "chosen": seed == 1, "lungs": LUNGS,
                   "validation": {"auc": 0.9912, "auc_degraded": 0.9903}} for seed in (0, 1)],
        "tried": [{"idea": "mixup", "auc": 0.9871, "auc_degraded": 0.9869, **LUNGS,
                   "verdict": "no gain"}],
        "versions_log": [{"version": "1.0", "date": "2026-11-22", "change": "first weights"}],
    }
