"""One training session from a folder of films to a checkpoint; what train.py runs."""

from __future__ import annotations

import logging
import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from pneumo.data import dataset
from pneumo.data.adults import adult_films, half, with_adults
from pneumo.data.memory import Films
from pneumo.evaluation.evaluation import score_films
from pneumo.evaluation.localization import lung_table
from pneumo.models.checkpoint import Checkpoint, read_card, round_to_stored, save, write_card
from pneumo.models.preprocess import Preprocessing
from pneumo.training import finish
from pneumo.training.initial import start
from pneumo.training.precision import repeatable
from pneumo.training.processes import Processes
from pneumo.training.recipe import Recipe
from pneumo.training.segmenter import with_all_lungs
from pneumo.training.teachers import Committee, load_teachers, told_of
from pneumo.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Paths:
    """Where a session reads and writes.

    Attributes:
        data: holds train/{NORMAL,PNEUMONIA} and, for scoring, test/...
        lungs: drawn lung fields of train films, or None.
        adults: folder with images/ and labels.csv of adult films, or None.
        teachers: cards of the checkpoints to distil.
        run: log, history and resumable state.
        out: the checkpoint.
    """

    data: Path
    lungs: Path | None
    run: Path
    out: Path
    adults: Path | None = None
    teachers: tuple[Path, ...] = ()


def train(
    recipe: Recipe, init: str, paths: Paths, *, resume: bool, score_test: bool,
    processes: Processes | None = None,
) -> Path:
    """Train, calibrate, save; and score the test split once when asked to.

    Of several processes all train; the first alone does what comes after, speaks and writes.

    Returns:
        The path of the checkpoint's card.

    Raises:
        DataError, CheckpointError, InitialError, ResumeError: each with a sentence for the person.
    """
    processes = processes or Processes()
    repeatable(processes.device)
    # Of what runs; hours later the files may be others.
    sitting = {"command": command_line(sys.argv), "commit": finish.commit(ROOT),
               "threads": torch.get_num_threads()}
    log = _logger(paths.run) if processes.first else _silent
    if not resume and (paths.run / "state.pt").is_file():
        log(f"Starting anew: the state of an earlier run in {paths.run} will be replaced.")
    table = dataset.films(paths.data, "train")
    training, validation = dataset.validation_split(table, 0, recipe.folds, recipe.fold)
    preprocessing = Preprocessing(size=recipe.size)
    held = replace(preprocessing, size=recipe.held)
    films = [_in_memory(part, paths.lungs, held, processes.first)
             for part in (training, validation)]
    grown: tuple[dataset.Film, ...] = ()
    if recipe.adults or recipe.early_adults:
        grown = half(adult_films(paths.adults), dataset.FIT)
        films[0] = with_adults(films[0], grown, held)
    teachers = ()
    if recipe.distil or recipe.early_distil:
        teachers = load_teachers(
            paths.teachers, recipe, dataset.fingerprint(table), preprocessing)
    if recipe.lung_epochs or recipe.early_hidden or recipe.early_replaced:
        films[0] = replace(films[0], found=processes.from_first(
            lambda: _with_all_lungs(films[0], held, paths.run, log).found))
    network, initial = processes.from_first(lambda: start(recipe.model, init, recipe.seed))
    log(f"{len(training)} films to train on, {len(validation)} for validation, no patient in both.")
    log(initial.sentence())
    left_out = recipe.left_out()
    if left_out:
        log(f"Without {', '.join(left_out)}, which the released recipe has.")
    with Progress(log) as progress:
        trainer = Trainer(
            network, recipe, initial.fresh_modules, *films, preprocessing,
            paths.run / "state.pt", progress.log, progress.step if processes.first else _silent,
            processes, _committee(teachers), sitting,
        )
        if resume:
            trainer.resume()
            progress.log(f"Resumed after epoch {trainer.epoch}.")
        progress.history = trainer.history
        network = finish.plain(trainer.run())
    processes.leave()
    if not processes.first:
        return paths.out / f"{recipe.model}.json"
    seconds = sum(entry["seconds"] for entry in trainer.history)
    round_to_stored(network)  # before anything is measured with it
    patients = [film.group for film in validation]
    series = [dataset.series_of(film) for film in validation]
    if held != preprocessing:  # judged are films as they are served, reduced in one step
        films[1] = replace(films[1], squares=dataset.load_squares(validation, preprocessing))
    judged = finish.judge(network, films[1], preprocessing, patients, series)
    network = network.to("cpu")
    data = finish.describe_data(training, validation, dataset.fingerprint(table))
    if paths.lungs:
        data["lung_masks"] = dataset.lung_fingerprint(table, paths.lungs)
    if grown:
        data["adults"] = finish.describe_adults(grown)
    card = {
        "preprocessing": preprocessing.record(),
        **judged,
        "data": data,
        "training": {
            "command": sitting["command"],
            "recipe": recipe.record(),
            "left_out": list(left_out),
            "init": asdict(initial),
            "init_sentence": initial.sentence(),
            "teachers": [told_of(one) for one in teachers],
            "imbalance": "every epoch draws half NORMAL and half PNEUMONIA films",
            "lung_masks": len(films[0].lungs),
            "lung_fields_found": len(films[0].found),
            "selection": "weights averaged over the last epoch's steps; no epoch is picked",
            "device": trainer.device.type,
            "precision": "bf16" if trainer.bf16 else "fp32",
            "processes": processes.count,
            "threads": sitting["threads"],
            "seconds": round(seconds),
            "finished": time.strftime("%Y-%m-%d", time.gmtime()),
            "versions": finish.versions(),
            "commit": sitting["commit"],
            "sittings": trainer.sittings,
            "history": trainer.history,
        },
    }
    path = save(network, card, paths.out)
    if films[1].lungs:
        card = read_card(recipe.model, paths.out)
        card["metrics"]["lungs"] = lung_table(recipe.model, paths.data, paths.lungs, paths.out)
        write_card(card, path)
    log(f"Saved {path} and {path.with_suffix('.safetensors').name}.")
    if score_test:
        score_on_test(recipe.model, paths, log)
    return path


def _committee(teachers: Sequence[Checkpoint]) -> Committee | None:
    if not teachers:
        return None
    return Committee([one.network for one in teachers],
                     [one.preprocessing.size for one in teachers])


def score_on_test(name: str, paths: Paths, log: Callable[[str], None]) -> None:
    """Score the saved checkpoint on the test split and write the result into its card."""
    scores = score_films(name, paths.data, "test", folder=paths.out)
    card = read_card(name, paths.out)
    card["metrics"]["test"] = scores["all"]
    card["metrics"]["test_distinct"] = scores["distinct"]
    card["metrics"]["test_by_kind"] = scores["sensitivity_by_kind"]
    card["metrics"]["test_by_series"] = scores["specificity_by_series"]
    card["metrics"]["test_curve"] = scores["curve"]
    card["metrics"]["test_reliability"] = scores["reliability"]
    if "uncertain" in scores:
        card["uncertain"]["test"] = scores["uncertain"]
        card["uncertain"]["test_labels"] = scores["labels"]
    mine = card["weights"]["sha256"]
    card["test_scorings"] = [*card.get("test_scorings", ()), {
        "date": time.strftime("%Y-%m-%d", time.gmtime()), "weights": mine,
        "auc": scores["all"]["auc"]["value"],
    }]
    card["metrics"]["test_times_scored"] = sum(
        one["weights"] == mine for one in card["test_scorings"])
    for point, measured in scores["operating_points"].items():
        card["operating_points"][point]["test"] = measured
    write_card(card, paths.out / f"{name}.json")
    test = card["metrics"]["test"]
    log(
        f"Official test, {test['n']} films: AUC {test['auc']['value']:.4f}, at the validation "
        f"threshold {test['threshold']:.3f} accuracy {test['accuracy']['value']:.3f}, sensitivity "
        f"{test['sensitivity']['value']:.3f}, specificity {test['specificity']['value']:.3f}."
    )


def command_line(words: Sequence[str]) -> str:
    """The command as it can be typed again: without --resume, folders by their last name.

    Cards keep their folder's name, for there may be several of one network.
    """
    kept = [w for w in words[1:] if w != "--resume"]
    # Where the data lies on this machine is nobody's business and helps nobody.
    kept = [re.sub(r"^(--[a-z-]+=)?.*?((?:[^/]+/)?[^/]+\.json|[^/]+)/*$", r"\1\2", w)
            if "/" in w else w for w in kept]
    count = int(os.environ.get("WORLD_SIZE", "1"))
    start = ["python"] if count == 1 else [
        "torchrun", "--standalone", "--nproc-per-node", str(count), "--"]
    return shlex.join([*start, "train.py", *kept])


class Progress:
    """A bar on the terminal with loss, validation AUC and time left."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log, self._bar, self.history = log, None, []

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def log(self, line: str) -> None:
        """Keep a line, without tearing the bar."""
        with tqdm.external_write_mode():
            self._log(line)

    def step(self, done: int, total: int, loss: float) -> None:
        """One optimiser step more."""
        if self._bar is None:
            self._bar = tqdm(total=total, initial=done - 1, unit="step", dynamic_ncols=True)
        last = self.history[-1] if self.history else None
        auc = f"{last['validation_auc']:.4f}" if last else "-"
        self._bar.set_postfix_str(f"loss {loss:.3f}, validation AUC {auc}", refresh=False)
        self._bar.update(done - self._bar.n)


def _in_memory(
    table: Sequence[dataset.Film], lungs: Path | None, preprocessing: Preprocessing, shown: bool
) -> Films:
    cv2.setNumThreads(1)
    hidden = None if shown else True  # None: where there is no terminal
    with tqdm(total=len(table), unit="film", desc="reading", disable=hidden) as bar:
        squares = dataset.load_squares(table, preprocessing, lambda done: bar.update(done - bar.n))
    masks = dataset.load_lungs(table, lungs, preprocessing) if lungs else {}
    return Films(np.ascontiguousarray(squares), dataset.labels(table), masks)


def _with_all_lungs(
    films: Films, preprocessing: Preprocessing, run: Path, log: Callable[[str], None]
) -> Films:
    with tqdm(unit="step", desc="finding lungs", disable=None) as bar:

        def step(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        # The same fields for every seed of the recipe: seeds are to differ in the network alone.
        return with_all_lungs(films, preprocessing, 0, run / "lungs.npz", log, step)


def _silent(*told: object) -> None:
    """What all processes but the first have to say."""


def _logger(folder: Path) -> Callable[[str], None]:
    folder.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger("pneumo.training")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    for handler in (logging.StreamHandler(sys.stdout), logging.FileHandler(folder / "train.log")):
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
    return logger.info
