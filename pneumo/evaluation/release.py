"""From finished training runs to one released checkpoint: what is decided and measured on the way.

The card of RUN/checkpoint is the state: a part that is there is not measured again, so a release
that was stopped continues where it was. Weights that were trained further start anew.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from pneumo.data import dataset
from pneumo.data.dataset import DataError, Sample
from pneumo.data.memory import logits
from pneumo.data.transforms import COPIES_SEED, degraded_copies
from pneumo.evaluation import adults, localization, robustness, shortcut
from pneumo.evaluation.metrics import curve, score
from pneumo.evaluation.predictions import Predictions, split_result, validation_images
from pneumo.evaluation.thresholds import calibrate, check_calibration, fix_presets
from pneumo.models.card import (
    FORMAT,
    RELIABLE_SIDE,
    Card,
    CheckpointError,
    DataFacts,
    Epoch,
    Evidence,
    Metrics,
    SeedResult,
    SplitFacts,
    TrainingFacts,
    write_card,
)
from pneumo.models.checkpoint import Checkpoint, load_checkpoint, round_to_stored, save_weights
from pneumo.models.networks import NETWORKS, Network, build
from pneumo.models.preprocess import Preprocessing
from pneumo.reading.input_check import FILE as INPUT_CHECK

DATASET = "Chest X-Ray Images (Pneumonia), Kermany et al. 2018, CC BY 4.0, DOI 10.17632/rscbjbr9sj"
# Strengths of the degraded and reframed validation copies. Radiographs as they are share the flaws
# of the training radiographs, and a threshold that fits them alone is too low elsewhere.
STRENGTHS = (0.4, 0.6, 0.8)
ADULTS = "synthetic normal adults in place of some normal ones, half with an opacity added"
# What a seed should reach besides `RELIABLE_SIDE`, which counts first: at least, and at most.
LEAST = {
    "opacities_peak": 0.60,
    "boxes_peak": 0.60,
    "lungs_share": 0.85,
    "lungs_peak": 0.97,
    "auc_lungs_only": 0.95,
}
MOST = {"maps_alike": 0.40, "auc_lungs_masked": 0.65, "normals_hot": 0.05}
# The parts of an epoch's loss: in run.json, and in the card.
LOSSES = {
    "loss": "total",
    "cross_entropy": "cross entropy",
    "outside_share": "evidence outside the lungs",
    "location_loss": "location",
}
SELECTION = (
    "weights averaged over the last steps; no epoch is picked; of the seeds the one that meets "
    "most localization goals, then with the best AUC on degraded validation copies"
)


class ReleaseError(DataError):
    """A run that cannot be released; the message says why and what to do."""


@dataclass(frozen=True, eq=False)
class Run:
    """A finished training run: its folder, with weights.safetensors, and what run.json says."""

    folder: Path
    facts: dict

    @property
    def name(self) -> str:
        """Registered name of the network."""
        return self.facts["recipe"]["model"]

    @property
    def staging(self) -> Path:
        """Where its checkpoint is made."""
        return self.folder / "checkpoint"


def read_run(folder: Path) -> Run:
    """A run that `train.py` finished; a ReleaseError when it is not one."""
    try:
        facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        known = facts["recipe"]["model"] in NETWORKS and facts["data"]["fingerprint"]
    except FileNotFoundError:
        raise ReleaseError(
            f"{folder} holds no finished run: run.json is missing. Finish it with train.py --resume"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        known = False
    if not known:
        raise ReleaseError(f"{folder}/run.json is damaged or of another version. Train it again.")
    return Run(folder, facts)


def same_recipe(runs: Sequence[Run]) -> None:
    """Check that runs are different seeds of one recipe; a ReleaseError names what differs."""
    first = runs[0].facts
    if len({run.facts["recipe"]["seed"] for run in runs}) < len(runs):
        raise ReleaseError("A seed is named more than once; that would show no spread.")
    for run in runs[1:]:
        mine, other = ({**facts["recipe"], "seed": 0} for facts in (run.facts, first))
        differs = sorted(k for k in {*mine, *other} if mine.get(k) != other.get(k))
        differs += [k for k in ("start", "teacher") if run.facts.get(k) != first.get(k)]
        if run.facts["data"]["fingerprint"] != first["data"]["fingerprint"]:
            differs.append("data")
        if differs:
            raise ReleaseError(
                f"{run.folder} and {runs[0].folder} are not seeds of one recipe: they differ in "
                f"{', '.join(differs)}."
            )


def calibrated(run: Run, table: Sequence[Sample]) -> Checkpoint:
    """The run's checkpoint with rounded weights, calibration, presets and validation metrics.

    A ReleaseError when there are no weights, or they do not fit the network.
    """
    network = build(run.name)
    try:
        network.load_state_dict(load_file(run.folder / "weights.safetensors"))
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = (str(error).splitlines() or ["unreadable"])[0]
        raise ReleaseError(f"{run.folder}/weights.safetensors cannot be used: {reason}") from None
    network.eval().requires_grad_(False)
    round_to_stored(network)  # before anything is measured with it
    if (kept := _staged(run, network)) is not None:
        return kept
    preprocessing = Preprocessing(size=run.facts["recipe"]["size"])
    weights = save_weights(network, run.staging)
    squares, y = dataset.load_squares(table, preprocessing), dataset.labels(table)
    groups = np.array([sample.group for sample in table])
    series = [dataset.series_of(sample) for sample in table]
    copies = {"": squares} | {
        str(strength): degraded_copies(squares, COPIES_SEED, strength) for strength in STRENGTHS
    }
    values = {name: logits(network, part, preprocessing) for name, part in copies.items()}
    count = len(values)
    pooled, labels = np.concatenate(list(values.values())), np.tile(y, count)
    try:
        calibration = calibrate(pooled, labels)
    except ValueError:
        raise ReleaseError(
            f"The network of {run.folder} does not tell pneumonias from normals on validation, so "
            "it cannot be calibrated. Train it for more epochs."
        ) from None
    everything = calibration.probability(pooled)
    policies = fix_presets(everything, labels, series * count, count)
    threshold = policies["decisive"].policy.rule_in
    clean = Predictions(tuple(table), calibration.probability(values.pop("")))
    validation = replace(split_result(clean, threshold), curve=curve(labels, everything))
    maps = localization.maps_of(network, preprocessing, squares[y == 1])
    strongest, facts = maps.evidence.max((1, 2)), run.facts
    card = Card(
        format=FORMAT,
        name=run.name,
        title=network.title,
        weights=weights,
        preprocessing=preprocessing,
        calibration=calibration,
        policies=policies,
        evidence=Evidence(float(np.percentile(strongest, 95)), {}),
        metrics=Metrics(
            validation=validation,
            degraded={
                name: score(y, calibration.probability(v), threshold, float(y.mean()), groups)
                for name, v in values.items()
            },
            calibration_check=check_calibration(pooled, labels, np.tile(groups, count)),
        ),
        data=DataFacts(
            name=DATASET,
            fingerprint=facts["data"]["fingerprint"],
            training=SplitFacts(**facts["data"]["training"]),
            validation=SplitFacts(**facts["data"]["validation"]),
            others=(ADULTS,) if facts["recipe"].get("adult_p") else (),
        ),
        training=_training_facts(facts),
    )
    write_card(card, run.staging)
    return load_checkpoint(run.name, run.staging)


def _staged(run: Run, network: Network) -> Checkpoint | None:
    """The checkpoint that an earlier, stopped release made of these weights."""
    try:
        found = load_checkpoint(run.name, run.staging)
    except CheckpointError:
        return None
    state, other = network.state_dict(), found.network.state_dict()
    return found if all(torch.equal(state[name], other[name]) for name in state) else None


def _training_facts(facts: dict) -> TrainingFacts:
    teacher = facts.get("teacher")
    same = "command recipe start device processes finished versions commit"
    return TrainingFacts(
        **{name: facts[name] for name in same.split()},
        seed=facts["recipe"]["seed"],
        teachers=(f"{teacher['name']} {teacher['sha256']}",) if teacher else (),
        selection=SELECTION,
        seconds=float(facts["seconds"]),
        history=tuple(_epoch(entry) for entry in facts["history"]),
    )


def _epoch(entry: dict) -> Epoch:
    # No mean where an epoch had none of that kind.
    losses = {name: entry[k] for k, name in LOSSES.items() if math.isfinite(entry.get(k, math.nan))}
    aucs = entry["validation_auc"], entry["validation_auc_degraded"]
    return Epoch(entry["epoch"], losses, *aucs, entry["seconds"])


def localized(checkpoint: Checkpoint, data: Path, boxes: Path | None) -> Checkpoint:
    """The checkpoint with the localization table in its card, measured unless it is there."""
    known = checkpoint.card.evidence.localization
    if known and (boxes is None or "boxes_side_share" in known):
        return checkpoint
    found = localization.measure(checkpoint, data, boxes)
    evidence = replace(checkpoint.card.evidence, localization=found)
    return _kept(checkpoint, replace(checkpoint.card, evidence=evidence))


def rank(card: Card) -> tuple[int, int, float]:
    """What seeds are compared by: goals of the side met, other goals met, degraded AUC."""
    table = card.evidence.localization

    def value(measure: str, absent: float) -> float:
        return table[measure].network.value if measure in table else absent

    side = sum(value(name, -1) >= goal for name, goal in RELIABLE_SIDE.items())
    others = sum(value(name, -1) >= goal for name, goal in LEAST.items())
    others += sum(value(name, math.inf) <= goal for name, goal in MOST.items())
    return side, others, degraded_auc(card)


def degraded_auc(card: Card) -> float:
    """Mean AUC over the degraded copies of the validation radiographs."""
    return float(np.mean([scores.auc.value for scores in (card.metrics.degraded or {}).values()]))


def with_seeds(checkpoints: Sequence[Checkpoint]) -> Checkpoint:
    """The best seed's checkpoint, with the spread over all of them in its card."""
    best = max(range(len(checkpoints)), key=lambda i: rank(checkpoints[i].card))
    seeds = tuple(
        SeedResult(one.card.training.seed, i == best, _seed_measures(one.card))
        for i, one in enumerate(checkpoints)
    )
    card = checkpoints[best].card
    return _kept(checkpoints[best], replace(card, training=replace(card.training, seeds=seeds)))


def _seed_measures(card: Card) -> dict[str, float]:
    validation = card.metrics.validation
    assert validation is not None
    measures = {"validation_auc": validation.scores.auc.value, "degraded_auc": degraded_auc(card)}
    for name, row in card.evidence.localization.items():
        if name in RELIABLE_SIDE or name in LEAST or name in MOST:
            measures[name] = row.network.value
    return measures


def measured(
    checkpoint: Checkpoint,
    table: Sequence[Sample],
    adult_folder: Path | None,
    step: Callable[[str], None],
) -> Checkpoint:
    """The checkpoint with robustness, shortcut analysis and, given a folder, adults in its card;
    `step` announces what is measured."""
    if not checkpoint.card.metrics.corruptions:
        step("robustness to corruptions")
        checkpoint = _with_metrics(checkpoint, corruptions=robustness.measure(checkpoint, table))
    if checkpoint.card.metrics.shortcut is None:
        step("shortcut analysis")
        checkpoint = _with_metrics(checkpoint, shortcut=shortcut.measure(checkpoint, table))
    if adult_folder is not None and not checkpoint.card.metrics.external:
        step("external evaluation: adults")
        external = adults.measure(checkpoint, adult_folder, held_out=True)
        checkpoint = _with_metrics(checkpoint, external=external)
    return checkpoint


def _with_metrics(checkpoint: Checkpoint, **found: Any) -> Checkpoint:
    card = checkpoint.card
    return _kept(checkpoint, replace(card, metrics=replace(card.metrics, **found)))


def _kept(checkpoint: Checkpoint, card: Card) -> Checkpoint:
    """The checkpoint with another card, which is written beside its weights."""
    write_card(card, checkpoint.folder)
    return replace(checkpoint, card=card)


def bundle(checkpoint: Checkpoint, out: Path) -> Checkpoint:
    """Write a checkpoint's weights and card to a folder, bound to the input check there."""
    weights, check = save_weights(checkpoint.network, out), out / INPUT_CHECK
    sha256 = hashlib.sha256(check.read_bytes()).hexdigest() if check.is_file() else None
    write_card(replace(checkpoint.card, weights=weights, input_check_sha256=sha256), out)
    return load_checkpoint(checkpoint.name, out)


def validation_of(runs: Sequence[Run], data: Path) -> tuple[Sample, ...]:
    """The validation radiographs that all runs left out; errors as `validation_images`."""
    facts = runs[0].facts
    return validation_images(data, facts["recipe"], facts["data"]["fingerprint"])
