"""python -m pneumo evaluate: score the checkpoints on a labelled folder."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pneumo.commands.chosen import chosen_models
from pneumo.models.networks import network_names
from pneumo.training.evaluation import score_films
from pneumo.training.lungs import lung_table

MEASURES = ("accuracy", "sensitivity", "specificity", "auc", "brier", "ece")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-command's arguments."""
    parser.add_argument("data", type=Path, metavar="DIR",
                        help="folder that holds SPLIT/NORMAL and SPLIT/PNEUMONIA")
    parser.add_argument("--split", default="test", help="default: test")
    parser.add_argument("--model", choices=network_names(), help="default: every bundled network")
    parser.add_argument("--lungs", type=Path, metavar="MASKS",
                        help="instead measure where the evidence lies, on validation films of "
                        "DIR/train with a mask MASKS/{NORMAL,PNEUMONIA}/STEM.png")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")


def run(args: argparse.Namespace) -> int:
    """Score and print; 0 when every film was read, 1 when some were not.

    Raises:
        DataError, CheckpointError: each with a sentence.
    """
    names = chosen_models(args.model)
    if args.lungs:
        results = [lung_table(name, args.data, args.lungs) for name in names]
        print(lung_lines(results))
    else:
        results = [score_films(name, args.data, args.split) for name in names]
        print("\n".join(table(result) for result in results))
    if args.json:
        args.json.write_text(json.dumps(results, indent=2) + "\n")
    return 1 if any(result.get("unread") for result in results) else 0


def lung_lines(results: list[dict]) -> str:
    """The lung measures as text, a row a network."""
    heads = {
        "heat_in_lungs": "heat in lungs", "peak_in_lung": "peak in a lung", "auc": "AUC",
        "auc_only_lungs": "AUC, only lungs", "auc_without_lungs": "AUC, lungs painted over",
    }
    lines = [
        f"{results[0]['n']} validation films with drawn lungs, "
        f"{results[0]['lung_area']:.0%} of the picture; heat of true positives",
        f"{'':12}" + "".join(f"{head:26}" for head in heads.values()),
    ]
    for result in results:
        lines.append(f"{result['model']:12}" + "".join(f"{result[k]:<26.3f}" for k in heads))
    return "\n".join(lines) + "\n"


def table(result: dict) -> str:
    """One network's scores as text: value and 95 % interval, all films and distinct ones."""
    both = (result["all"], result["distinct"])
    heads = [f"{s['n']} {name}" for s, name in zip(both, ("films", "distinct"), strict=True)]
    lines = [
        f"{result['model']} on {result['split']} (weights {result['weights_sha256'][:12]}, "
        f"threshold {both[0]['threshold']:.3f}, bootstrap 95 % intervals)",
        f"{'':16}{heads[0]:26}{heads[1]}",
    ]
    for name in MEASURES:
        measured = [s[name] for s in both]
        cells = [f"{m['value']:.4f} ({m['low']:.4f}-{m['high']:.4f})" for m in measured]
        lines.append(f"{name:16}{cells[0]:26}{cells[1]}")
    for name in both[0]["confusion"]:
        cells = [
            f"{s['confusion'][name]} ({s['confusion_intervals'][name]['low']:.0f}-"
            f"{s['confusion_intervals'][name]['high']:.0f})"
            for s in both
        ]
        lines.append(f"{name:16}{cells[0]:26}{cells[1]}")
    for kind, value in result["sensitivity_by_kind"].items():
        lines.append(f"sensitivity, {kind}: {value['sensitivity']:.4f} of {value['n']}")
    lines += [f"not read: {u['path']}: {u['reason']}" for u in result["unread"]]
    return "\n".join(lines) + "\n"
