"""python -m pneumo benchmark batch: the tab of many films against predict on the same films."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import torch
from tqdm import tqdm

from pneumo.commands.predict import default_model, walk
from pneumo.commands.served import headless_browser, running_app
from pneumo.models.checkpoint import CheckpointError, available_models
from pneumo.reading.reader import Reader

MOST_FILMS = 500  # as many as the tab takes
AIM = 0.8

# Told by the page itself: asking it again and again would take of the time that is measured.
UNTIL_READ = """(count) => new Promise((done) => {
    const room = document.querySelector(".pn-many");
    const look = () => {
        const { running, rows } = room.dataset;
        if (running === "no" && Number(rows) === count) done();
    };
    new MutationObserver(look).observe(room, { attributes: true });
    look();
})"""


class NoFilms(ValueError):
    """There is nothing to measure with."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the benchmark's arguments."""
    parser.add_argument("paths", nargs="+", metavar="PATH",
                        help=f"films, or folders of films; the first {MOST_FILMS} are read")
    parser.add_argument("--model", help="default: resnet18 if there")
    parser.add_argument("--rounds", type=int, default=3, help="median of so many (default: 3)")


def run(args: argparse.Namespace) -> int:
    """Read the films by turns in both ways and print films per second and their ratio.

    The app runs in a process of its own with as many threads as this one, and a real browser,
    which needs its share of the same cores, drops the films on it.

    Raises:
        CheckpointError: when there is no usable checkpoint.
        NoFilms: when the paths hold no file.
        NotRunning: when the app or the browser cannot be started.
    """
    films = [Path(path).resolve() for path in walk(args.paths)][:MOST_FILMS]
    if not films:
        raise NoFilms("There is no film in the folders named. Please name one with films.")
    model = args.model or default_model()
    if model not in available_models():
        raise CheckpointError(f"There is no checkpoint of a network called '{model}'.")
    reader = Reader(model)
    by_command, by_page = [], []
    with (
        tempfile.TemporaryDirectory() as own,
        running_app(Path(own), OMP_NUM_THREADS=str(torch.get_num_threads())) as url,
        headless_browser() as browser,
    ):
        page = open_tab(browser, url, model)
        read_by_command(reader, films[:2])  # what is slow only once is not counted
        read_by_page(page, films[:2])
        for _ in tqdm(range(max(1, args.rounds)), unit="round", disable=None):
            by_command.append(len(films) / read_by_command(reader, films))
            by_page.append(len(films) / read_by_page(page, films))
    print(f"{len(films)} films, {model}, {torch.get_num_threads()} threads")
    for name, speeds in (("predict", by_command), ("many films", by_page)):
        each = " ".join(f"{speed:.1f}" for speed in speeds)
        print(f"{name:<12}{median(speeds):8.1f} films/s   rounds: {each}")
    ratio = median(page / line for page, line in zip(by_page, by_command, strict=True))
    print(f"{'ratio':<12}{ratio:8.2f}           aim: at least {AIM}")
    return 0


def open_tab(browser, url: str, model: str):
    """A page of the app with the tab of many films in front, set to a network."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(3_600_000)
    page.goto(url)
    page.get_by_role("tab").nth(1).click()
    page.locator(f".pn-many .pn-model input[value={model}]").check(force=True)
    return page


def read_by_command(reader: Reader, films: Sequence[Path]) -> float:
    """Seconds that `predict` takes for the films, without its start."""
    started = time.perf_counter()
    for film in films:
        json.dumps(reader.examine(film)[1].record())
    return time.perf_counter() - started


def read_by_page(page, films: Sequence[Path]) -> float:
    """Seconds from the films' arrival on an emptied tab to its last row."""
    clear = page.locator(".pn-many [data-do=clear]")
    if clear.is_visible():
        clear.click()
    started = time.perf_counter()
    page.set_input_files(".pn-many .pn-file", list(films))
    page.evaluate(UNTIL_READ, len(films))
    return time.perf_counter() - started
