"""A card, an input check and a network of made-up numbers, for tests of whatever uses them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from pneumo.evaluation.thresholds import measure_policy
from pneumo.models.card import (
    BUNDLED,
    Card,
    Estimate,
    Evidence,
    LocalizationRow,
    PolicyMeasures,
    PolicyResult,
    Weights,
    read_card,
    write_typed,
)
from pneumo.models.networks import Network, build
from pneumo.models.probability import Calibration, Policy
from pneumo.reading import input_check
from pneumo.reading.decision import PRESETS
from pneumo.reading.descriptor import LENGTH
from pneumo.reading.input_check import (
    ChestProbe,
    InputCheckFile,
    LinearProbe,
    RefusalRow,
    Subspace,
    WarningRow,
)


def estimate(value: float, n: int = 100) -> Estimate:
    """A value with an interval of a tenth around it."""
    return Estimate(value, max(0.0, value - 0.05), min(1.0, value + 0.05), n)


def measures(sensitivity: float = 0.9, specificity: float = 0.8) -> PolicyMeasures:
    """What a policy was worth on 100 radiographs with pneumonia and 100 without."""
    p = []
    for right, wrong, rate in ((0.9, 0.1, sensitivity), (0.1, 0.9, specificity)):
        found = round(100 * rate)
        missed = (100 - found) // 2
        p += [right] * found + [wrong] * missed + [0.5] * (100 - found - missed)
    return measure_policy(Policy("custom", 0.3, 0.7), np.array(p), np.repeat([1, 0], 100))


def whole_card(
    name: str = "cnn",
    title: str = "Custom CNN",
    weights: Weights | None = None,
    reliable: bool = True,
    test: bool = True,
) -> Card:
    """The bundled CNN's card with made-up policies, localization and, unless given, weights, and no
    input check; `reliable`: its map tells the side, `test`: it was scored on the test split."""
    card = read_card("cnn", BUNDLED)
    pairs = dict.fromkeys(PRESETS, (0.3, 0.7))
    pairs |= {"cautious": (0.2, 0.8), "balanced": (0.4, 0.6), "decisive": (0.5, 0.5)}
    places = ("composites_share", "composites_right", "boxes_side_share", "lungs_share")
    row = LocalizationRow(estimate(0.97 if reliable else 0.55), estimate(0.5))
    return replace(
        card,
        name=name,
        title=title,
        weights=weights or Weights((f"{name}.safetensors",), "0" * 64, 1, 1),
        calibration=Calibration(1.0, 0.0),
        policies={
            policy: PolicyResult(
                Policy(policy, *pair), "made up", measures(), measures(0.85) if test else None
            )
            for policy, pair in pairs.items()
        },
        evidence=Evidence(1.0, dict.fromkeys(places, row)),
        metrics=replace(
            card.metrics, test=card.metrics.test if test else None, test_scorings=int(test)
        ),
        input_check_sha256=None,
    )


def lively(name: str, images: torch.Tensor, seed: int = 0) -> Network:
    """A random network; statistics of a batch of images keep its activations alive."""
    torch.manual_seed(seed)
    network = build(name)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(images)
    return network.eval()


def made_up_check(limit: float = 100.0, **scores: float) -> InputCheckFile:
    """An input check that takes every image for an upright chest radiograph of a child.

    `limit`: of the distance from usual radiographs; `scores`: what every image scores for "chest",
    "adult", "cropped" and "mirrored"."""
    zeros = (0.0,) * LENGTH
    probes = {
        name: LinearProbe(zeros, scores.get(name, -1.0), 0.0)
        for name in ("adult", "cropped", "mirrored")
    }
    return InputCheckFile(
        format=input_check.FORMAT,
        fitted_on={"children": 100},
        mean=zeros,
        scale=(1.0,) * LENGTH,
        chest=ChestProbe(zeros, scores.get("chest", 1.0), 0.0, 0.0),
        usual=Subspace(zeros, ((1,) + (0,) * (LENGTH - 1),), limit, limit),
        refusals=(
            RefusalRow("children", "", True, estimate(0.01)),
            RefusalRow("hands", "", False, estimate(1.0)),
            RefusalRow("hands", "varied", False, estimate(0.99)),
        ),
        warnings=(WarningRow("population.adult", "children", "", estimate(0.02), None),),
        **probes,
    )


def write_check(folder: Path, **made_up: float) -> None:
    """Write a made-up input check into a folder of checkpoints."""
    path = folder / input_check.FILE
    write_typed(made_up_check(**made_up), path, input_check.WHAT, input_check.FORMAT)
