"""From the seeds of a recipe to the bundled weights: the best on validation, with the spread."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pneumo.data.dataset import DataError
from pneumo.models.checkpoint import CheckpointError, load, read_card, write_card
from pneumo.reporting.card_markdown import measured
from pneumo.training.state import with_defaults

# What a recipe may differ in between runs that are seeds of one recipe.
FREE = {"seed"}
# What the weights come from besides the recipe: for people, part of the card, key.
ORIGINS = (
    ("the films", "data", "fingerprint"), ("the lung masks", "data", "lung_masks"),
    ("the adult films", "data", "adults"),
    ("the starting weights", "training", "init_sentence"),
    ("the teachers", "training", "teachers"),
)
LUNGS = ("heat_in_lungs", "peak_in_lung", "auc_only_lungs", "auc_without_lungs")
# Least of the first three and most of the last that evidence in the lungs is worth the name.
AIMS = {
    "resnet18": {"heat_in_lungs": 0.85, "peak_in_lung": 0.98, "auc_only_lungs": 0.965,
                 "auc_without_lungs": 0.65},
    "cnn": {"heat_in_lungs": 0.80, "peak_in_lung": 0.95, "auc_only_lungs": 0.94,
            "auc_without_lungs": 0.65},
}
# What a seed may miss them by; one of a hundred films that changes its rank moves an AUC further.
TOLERANCE = 0.005
RULE = (
    "the seed with the best mean AUC on validation films and their degraded copies (among seeds "
    f"that meet the aims of evidence in the lungs to {TOLERANCE}, where there are such)"
)


def release(name: str, runs: Sequence[Path], out: Path, tried: Sequence[dict] = ()) -> dict:
    """Copy the best seed's checkpoint to `out`, with all seeds and the older versions in its card.

    Args:
        name: registered name of the network.
        runs: folders that hold NAME.json and NAME.safetensors, one for each seed.
        out: the bundled folder; what is replaced there gets a line in the version log.
        tried: ideas judged on validation, each {"idea", "verdict", measures...}.

    Returns:
        The card as written; it goes on counting how often the test split was scored.

    Raises:
        CheckpointError: when a checkpoint must not be used.
        DataError: when the runs are not different seeds of one recipe on the same films, or lie
            in the bundled folder.
    """
    if out.resolve() in (Path(run).resolve() for run in runs):
        raise DataError(f"{out} is where the best seed goes. Name the folders of the seeds.")
    cards = [load(name, run).card for run in runs]
    _same_recipe(cards, runs)
    values = [_validation(card) for card in cards]
    order = [(_in_the_lungs(name, card), np.mean([v["auc"], v["auc_degraded"]]))
             for card, v in zip(cards, values, strict=True)]
    best = order.index(max(order))
    card = cards[best]
    card["training"]["selection"] += f"; {RULE} is bundled ({len(cards)} seeds)"
    card["seeds"] = [
        {"seed": one["training"]["recipe"]["seed"], "chosen": i == best, "validation": v,
         "lungs": _lungs(one)}
        for i, (one, v) in enumerate(zip(cards, values, strict=True))
    ]
    card["tried"] = list(tried)
    old = _bundled(name, out)
    card["versions_log"] = _versions(old, card)
    known = (old or {}).get("test_scorings") or []
    card["test_scorings"] = [
        *known, *(one for one in card.get("test_scorings") or () if one not in known)]
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(runs[best]) / f"{name}.safetensors", out / f"{name}.safetensors")
    write_card(card, out / f"{name}.json")
    return load(name, out).card


def _same_recipe(cards: Sequence[dict], runs: Sequence[Path]) -> None:
    first, seeds = cards[0], [card["training"]["recipe"]["seed"] for card in cards]
    if twice := sorted({seed for seed in seeds if seeds.count(seed) > 1}):
        raise DataError(f"Seed {twice[0]} is named more than once; that would tell of no spread.")
    for card, run in zip(cards, runs, strict=True):
        mine, other = (with_defaults(one["training"]["recipe"]) for one in (card, first))
        differs = sorted(k for k in {*mine, *other} - FREE if mine.get(k) != other.get(k))
        for what, where, key in ORIGINS:
            if (card[where].get(key) or None) != (first[where].get(key) or None):
                differs.append(what)
        if differs:
            raise DataError(
                f"{run} and {runs[0]} are not seeds of one recipe: they differ in "
                f"{', '.join(differs)}."
            )


def _validation(card: dict) -> dict[str, float]:
    """AUC on validation films as they are, and the mean over their degraded copies."""
    found = {key: part["auc"]["value"] for key, part in card["metrics"]["validation"].items()}
    clean = found.pop("clean")
    return {"auc": clean, "auc_degraded": float(np.mean(list(found.values())))}


def _lungs(card: dict) -> dict[str, float]:
    found = measured(card, "lungs") or {}
    return {key: found[key] for key in LUNGS if key in found}


def _in_the_lungs(name: str, card: dict) -> bool:
    """Whether the aims for a network's evidence are met; those not measured are not."""
    found, aims = _lungs(card), AIMS.get(name, {})
    if not aims or not set(aims) <= set(found):
        return False
    # An AUC below one half knows as much as one that far above it, the other way round.
    hidden = max(found["auc_without_lungs"], 1 - found["auc_without_lungs"])
    return hidden <= aims["auc_without_lungs"] + TOLERANCE and all(
        found[key] >= aim - TOLERANCE for key, aim in aims.items() if key != "auc_without_lungs"
    )


def _bundled(name: str, out: Path) -> dict | None:
    try:
        return read_card(name, out)
    except CheckpointError:
        return None


def _versions(old: dict | None, new: dict) -> list[dict]:
    if old is None:
        log, version = [], 0
    else:
        if old["weights"]["sha256"] == new["weights"]["sha256"]:
            return old.get("versions_log", [])
        log = old.get("versions_log") or [{}]
        version = len(log)
        # Written before the test split was scored; say it now.
        log = [*log[:-1], _entry(old, version)]
    return [*log, _entry(new, version + 1)]


def _entry(card: dict, version: int) -> dict:
    test = card["metrics"].get("test")
    scored = f"; official test AUC {test['auc']['value']:.4f}" if test else ""
    return {
        "version": version,
        "date": card["training"]["finished"],
        "change": f"weights {card['weights']['sha256'][:12]}, commit "
        f"{card['training']['commit'][:12]}, validation AUC {_validation(card)['auc']:.4f}"
        + scored,
    }
