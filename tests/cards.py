"""A card and an input check of made-up numbers, for tests of whatever reads or renders them."""

from __future__ import annotations

from pathlib import Path

from pneumo.models.card import (
    FORMAT,
    Card,
    Confusion,
    Curve,
    DataFacts,
    Epoch,
    Estimate,
    Evidence,
    LocalizationRow,
    Metrics,
    PolicyMeasures,
    PolicyResult,
    ReliabilityBin,
    Scores,
    SeedResult,
    SplitFacts,
    SplitResult,
    TrainingFacts,
    Weights,
    write_typed,
)
from pneumo.models.preprocess import Preprocessing
from pneumo.models.probability import Calibration, Policy
from pneumo.reading import input_check
from pneumo.reading.descriptor import LENGTH
from pneumo.reading.input_check import InputCheckFile, LinearProbe, RefusalRow, Subspace, WarningRow


def estimate(value: float, n: int = 100) -> Estimate:
    """A value with an interval of a tenth around it."""
    return Estimate(value, max(0.0, value - 0.05), min(1.0, value + 0.05), n)


def measures(sensitivity: float = 0.9, specificity: float = 0.8) -> PolicyMeasures:
    """What a policy was worth on 100 radiographs with pneumonia and 100 without."""
    ill, well = round(100 * sensitivity), round(100 * specificity)
    missed, alarms = (100 - ill) // 2, (100 - well) // 2
    return PolicyMeasures(
        sensitivity=estimate(sensitivity),
        specificity=estimate(specificity),
        false_negatives=estimate(missed / 100),
        false_positives=estimate(alarms / 100),
        ppv=estimate(ill / (ill + alarms)),
        npv=estimate(well / (well + missed)),
        indeterminate=estimate((200 - ill - well - missed - alarms) / 200, 200),
        labels={
            "NORMAL": {"NORMAL": well, "INDETERMINATE": 100 - well - alarms, "PNEUMONIA": alarms},
            "PNEUMONIA": {"NORMAL": missed, "INDETERMINATE": 100 - ill - missed, "PNEUMONIA": ill},
        },
    )


def scores(auc: float = 0.95) -> Scores:
    """Metrics of 100 radiographs with pneumonia and 100 without."""
    return Scores(
        n=200,
        positives=100,
        threshold=0.5,
        confusion=Confusion(90, 10, 80, 20),
        accuracy=estimate(0.85, 200),
        sensitivity=estimate(0.9),
        specificity=estimate(0.8),
        auc=estimate(auc, 200),
        brier=estimate(0.1, 200),
        ece=estimate(0.06, 200),
    )


def split_result(auc: float = 0.95) -> SplitResult:
    """All parts of a split's result."""
    return SplitResult(
        scores=scores(auc),
        distinct=scores(auc),
        sensitivity_by_kind={"bacteria": estimate(0.92), "virus": estimate(0.88)},
        specificity_by_series={"IM": estimate(0.9), "NORMAL2-IM": estimate(0.7)},
        curve=Curve((0.0, 0.5, 1.0), (1.0, 0.9, 0.0), (0.0, 0.8, 1.0)),
        reliability=(ReliabilityBin(0.4, 0.5, 20, 0.45, 0.5),),
    )


def whole_card(
    name: str = "cnn",
    title: str = "Custom CNN",
    weights: Weights | None = None,
    reliable: bool = True,
    test: bool = True,
) -> Card:
    """A card that could be one.

    Args:
        name, title: of the network.
        weights: what it says of the files; made up unless given.
        reliable: whether its evidence map tells the side.
        test: whether it was scored on the test split.
    """
    measured = 0.97 if reliable else 0.55
    places = ("composites_share", "composites_right", "boxes_side_share", "lungs_share")
    results = {
        policy: PolicyResult(
            Policy(policy, *pair), "made up", measures(), measures(0.85) if test else None
        )
        for policy, pair in {
            "cautious": (0.2, 0.8),
            "balanced": (0.4, 0.6),
            "decisive": (0.5, 0.5),
        }.items()
    }
    return Card(
        format=FORMAT,
        name=name,
        title=title,
        weights=weights or Weights((f"{name}.safetensors",), "0" * 64, 1, 1, "float16"),
        preprocessing=Preprocessing(size=128),
        calibration=Calibration(1.0, 0.0),
        policies=results,
        evidence=Evidence(
            scale=1.0,
            scale_rule="made up",
            localization={
                key: LocalizationRow(estimate(measured), estimate(0.5)) for key in places
            },
        ),
        metrics=Metrics(
            validation=split_result(),
            degraded={"0.6": scores(0.93)},
            test=split_result(0.94) if test else None,
            test_scorings=int(test),
        ),
        data=DataFacts(
            name="made up",
            fingerprint="1" * 64,
            training=SplitFacts(80, 60, {"normal": 20, "bacteria": 40, "virus": 20}),
            validation=SplitFacts(20, 15, {"normal": 5, "bacteria": 10, "virus": 5}),
        ),
        training=TrainingFacts(
            command="python train.py --model cnn",
            recipe={"epochs": 1, "augmentation": {"flip": 0.5}},
            seed=0,
            start="fresh weights",
            teachers=(),
            selection="the last epoch",
            device="cpu",
            precision="fp32",
            processes=1,
            seconds=1.0,
            finished="2026-11-27",
            versions={"torch": "2.11.0"},
            commit="",
            history=(Epoch(1, "fine-tuning", {"total": 0.5}, 0.9, 0.88, 1e-3, 1.0),),
            seeds=(SeedResult(0, True, {"validation_auc": 0.9}),),
        ),
    )


def made_up_check(limit: float = 100.0, **scores: float) -> InputCheckFile:
    """An input check that takes every image for an upright chest radiograph of a child.

    Args:
        limit: of the distance from usual radiographs.
        scores: "chest", "adult", "cropped", "mirrored" -> what every image scores.
    """
    zeros = (0.0,) * LENGTH
    probes = {
        name: LinearProbe(zeros, scores.get(name, usual), 0.0)
        for name, usual in {"chest": 1.0, "adult": -1.0, "cropped": -1.0, "mirrored": -1.0}.items()
    }
    return InputCheckFile(
        format=input_check.FORMAT,
        fitted_on={"children": 100},
        mean=zeros,
        scale=(1.0,) * LENGTH,
        usual=Subspace(zeros, ((1,) + (0,) * (LENGTH - 1),), limit),
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
