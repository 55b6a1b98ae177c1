"""The refusal table: what a guard does with every kind of picture that it was not fitted on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from pneumo.data import dataset
from pneumo.evaluation.guard_material import FIT, HELD_OUT, Specimen
from pneumo.evaluation.guard_pictures import DRAWERS
from pneumo.evaluation.input_check_fit import Table, fit_chest_head, standardised
from pneumo.imaging.radiograph import read_radiograph
from pneumo.models.checkpoint import Checkpoint
from pneumo.reading.checks import Check
from pneumo.reading.input_check import Guard, descriptions

TEST = "official test films"


@dataclass(frozen=True, eq=False)
class Verdict:
    """What the guard said about one picture.

    Attributes:
        kind, change, chest: of the picture, as in `Specimen`.
        score: of the head "chest".
        checks: all of them.
    """

    kind: str
    change: str
    chest: bool
    score: float
    checks: tuple[Check, ...]

    @property
    def refused(self) -> bool:
        """Whether any check failed."""
        return any(check.outcome == "failed" for check in self.checks)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Names of the checks that warn; none for a refused picture."""
        if self.refused:
            return ()
        return tuple(check.name for check in self.checks if check.outcome == "warned")


def judge(
    checkpoint: Checkpoint,
    guard: Guard,
    pictures: Iterable[Specimen],
    progress: Callable[[int], None] | None = None,
) -> list[Verdict]:
    """The guard's verdicts, by the functions that serve."""
    verdicts = []
    for picture in pictures:
        square = checkpoint.preprocessing.square(picture.radiograph.pixels)
        with torch.no_grad():
            features = checkpoint.network.features(checkpoint.preprocessing.tensor(square))
        score = guard.scores(descriptions(features, square[None])[0])["chest"]
        checks = guard.examine(features, square, picture.radiograph)
        verdicts.append(Verdict(picture.kind, picture.change, picture.chest, float(score), checks))
        if progress:
            progress(len(verdicts))
    return verdicts


def official_test(root: Path) -> Iterator[Specimen]:
    """The official test films, which nothing was fitted or chosen on."""
    for film in dataset.samples(root, "test"):
        yield Specimen(read_radiograph(film.path), TEST, True, HELD_OUT, film.group)


def table_of(verdicts: Iterable[Verdict]) -> list[dict]:
    """One row a kind and change, in the order they came.

    Returns:
        rows with kind, change, chest, n, refused, warned, read (these three add up to n) and
        warnings (name of the check -> pictures).
    """
    rows: dict[tuple, list[Verdict]] = {}
    for verdict in verdicts:
        rows.setdefault((verdict.kind, verdict.change, verdict.chest), []).append(verdict)
    return [
        {
            "kind": kind,
            "change": change,
            "chest": chest,
            "n": len(group),
            "refused": sum(v.refused for v in group),
            "warned": sum(bool(v.warnings) for v in group),
            "read": sum(not v.refused and not v.warnings for v in group),
            "warnings": dict(sorted(Counter(n for v in group for n in v.warnings).items())),
        }
        for (kind, change, chest), group in rows.items()
    ]


def summary(verdicts: list[Verdict]) -> dict:
    """AUROC of chest against not chest, and the shares refused, over unchanged pictures."""
    plain = [v for v in verdicts if v.change == "plain"]
    chest = np.array([v.chest for v in plain])
    refused = np.array([v.refused for v in plain])
    auroc = roc_auc_score(chest, [v.score for v in plain])
    return {
        "auroc": round(float(auroc), 5),
        "chest": {"n": int(chest.sum()), "refused": int(refused[chest].sum())},
        "not_chest": {"n": int((~chest).sum()), "refused": int(refused[~chest].sum())},
    }


def unseen_kinds(table: Table) -> list[dict]:
    """How many pictures of a kind are refused by a guard that was fitted without that kind.

    All drawn kinds are left out together. Only the chest question is asked.

    Returns:
        rows with kind, n and refused.
    """
    fitted = table.where(table.part == FIT)
    z, _, _ = standardised(fitted)
    kinds = np.where(np.isin(fitted.kind, list(DRAWERS)), "drawn pictures", fitted.kind)
    rows = []
    for kind in sorted(set(kinds[~fitted.chest])):
        left = kinds == kind
        head = fit_chest_head(z[~left], fitted.where(~left))
        asked = left & (fitted.change == "plain")
        scores = z[asked] @ head.weights + head.bias
        rows.append(
            {
                "kind": kind,
                "n": int(asked.sum()),
                "refused": int((scores < head.threshold).sum()),
            }
        )
    return rows


def as_text(rows: list[dict]) -> str:
    """The table for a terminal."""
    lines = [f"{'kind':22}{'change':14}{'n':>6}{'refused':>9}{'warned':>8}{'read':>6}  warnings"]
    for row in rows:
        named = ", ".join(f"{name} {count}" for name, count in row["warnings"].items())
        lines.append(
            f"{row['kind']:22}{row['change']:14}{row['n']:6}{row['refused']:9}{row['warned']:8}"
            f"{row['read']:6}  {named}"
        )
    return "\n".join(lines)
