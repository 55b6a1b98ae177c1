"""Adult films of another hospital: half of the patients to learn from, half to be measured on."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pneumo.data.dataset import (
    CLASSES,
    HELD_OUT,
    DataError,
    Film,
    halves,
    labels,
    load_squares,
)
from pneumo.data.memory import Films
from pneumo.evaluation.evaluation import read_all
from pneumo.evaluation.metrics import auc, score
from pneumo.models.checkpoint import load
from pneumo.models.preprocess import Preprocessing
from pneumo.reading.reader import Reader

MEASURES = ("auc", "sensitivity", "specificity")
NEEDED = ("file", "label", "patient", "view")


def adult_films(root: str | Path) -> tuple[Film, ...]:
    """The films that `root/labels.csv` names, `kind` being the view (PA or AP).

    Args:
        root: folder with images/ and labels.csv, whose columns include file, label (NORMAL or
            PNEUMONIA), patient and view.

    Raises:
        DataError: when the table or a film is missing, or a row cannot be understood.
    """
    root = Path(root)
    file = root / "labels.csv"
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
    except FileNotFoundError:
        raise DataError(
            f"There is no table {file}. --adults needs a folder with images/ and labels.csv."
        ) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} is no table of comma-separated values: {error}") from None
    films = []
    for number, row in enumerate(rows, 2):
        if any(not row.get(name) for name in NEEDED) or row["label"] not in CLASSES:
            raise DataError(
                f"{file}, line {number}: {', '.join(NEEDED)} are needed, and the label must be "
                f"{' or '.join(CLASSES)}."
            )
        path = root / "images" / Path(row["file"]).name
        if not path.is_file():
            raise DataError(f"{file}, line {number} names {path}, which is not there.")
        films.append(Film(path, CLASSES.index(row["label"]), row["patient"], row["view"]))
    if not films:
        raise DataError(f"{file} names no film.")
    return tuple(films)


def half(films: Sequence[Film], part: str) -> tuple[Film, ...]:
    """The films of every second patient.

    Args:
        films: adult films.
        part: `FIT` for those that training may see, `HELD_OUT` for the others. The guard, which
            is fitted and measured on adults too, has the same halves.

    Raises:
        DataError: when the files' names do not begin with their patient.
    """
    parts = halves([film.path for film in films])
    if len({(film.group, parts[film.path]) for film in films}) > len({f.group for f in films}):
        raise DataError(
            "A patient of the adult films would be in both halves. Name each file "
            "PATIENT_NUMBER, with the patient that labels.csv gives."
        )
    return tuple(film for film in films if parts[film.path] == part)


def with_adults(films: Films, adults: Sequence[Film], preprocessing: Preprocessing) -> Films:
    """The films with adult ones behind them as a second population.

    Its groups are the views' and labels' combinations, drawn alike, so that the view, which in
    these films tells of the label, teaches nothing.

    Args:
        films: in memory, of side `preprocessing.size`.
        adults: films that training may see, `kind` being the view.
        preprocessing: of the network.

    Raises:
        DataError: when there is no film, one cannot be read, or one view lacks one of the labels.
    """
    if not adults:
        raise DataError("There are too few adult films to learn from one half of the patients.")
    groups = [f"{film.kind} {CLASSES[film.label]}" for film in adults]
    views = {film.kind for film in adults}
    if len(set(groups)) < len(views) * len(CLASSES):
        raise DataError(
            f"The adult films need {' and '.join(CLASSES)} of every view; they have only "
            f"{', '.join(sorted(set(groups)))}."
        )
    start = len(films.labels)
    return replace(
        films,
        squares=np.concatenate([films.squares, load_squares(adults, preprocessing)]),
        labels=np.concatenate([films.labels, labels(adults)]),
        second=dict(enumerate(groups, start)),
    )


def adult_table(model: str, root: Path, folder: Path | None = None) -> dict:
    """AUC, sensitivity and specificity on adult films, all of them and by view position.

    The films are read as the app reads them, at the balanced operating point; the guard, which
    warns of adults, refuses none. Where the network was trained on half of the patients, only the
    other half is scored. Nothing was chosen on them.

    Returns:
        {"source", "threshold", "rows": [{"view": "all", "PA" or "AP", "n", "positives",
        "patients", "auc", "sensitivity", "specificity": {"value", "low", "high"}}], "unread":
        count, "trained_on": adult films that training saw, of other patients, "auc_view_alone":
        AUC of the view, PA counting as pneumonia}; intervals are bootstrap 95 %, films resampled
        within each class. A view that lacks a class has no row.

    Raises:
        DataError, CheckpointError: each with a sentence.
    """
    reader = Reader(load(model, folder), guard=False)
    films = adult_films(root)
    trained_on = (reader.checkpoint.card["data"].get("adults") or {}).get("films", 0)
    scores = read_all(reader, half(films, HELD_OUT) if trained_on else films)
    y, p = labels(scores.films), scores.probabilities
    if len(set(y.tolist())) < 2:
        raise DataError(f"No film of one of the classes in {root} can be read.")
    views = np.array([film.kind for film in scores.films])
    rows = []
    for view in ("all", *sorted(set(views.tolist()), reverse=True)):
        part = np.flatnonzero((views == view) | (view == "all"))
        if 0 < y[part].sum() < len(part):
            measured = score(y[part], p[part], reader.threshold)
            rows.append({
                "view": view, "n": len(part), "positives": int(y[part].sum()),
                "patients": len({scores.films[i].group for i in part}),
                **{name: measured[name] for name in MEASURES},
            })
    return {
        "source": "NIH ChestX-ray8, a part", "threshold": reader.threshold, "rows": rows,
        "unread": len(scores.unread), "trained_on": trained_on,
        "auc_view_alone": auc(y, (views == "PA").astype(float)),
    }
