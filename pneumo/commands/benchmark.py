"""pneumo benchmark: how fast this machine analyzes radiographs, starts, serves, and works through
files. What is compared runs by turns, so that what else the machine does slows all alike.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import cv2
import httpx  # comes with Gradio
import numpy as np

from pneumo import __version__
from pneumo.commands.output import OutputError
from pneumo.commands.predict import analyze_all, walk
from pneumo.files import bundled_folder, cores, write_whole
from pneumo.imaging.radiograph import Radiograph, read_radiograph
from pneumo.models.checkpoint import available_models, open_checkpoint
from pneumo.reading.reader import Reader

CLIENTS = (1, 4, 16, 64)
FILES = (1, 10, 100, 1000)
MEGAPIXELS = (0.05, 0.2, 1, 4, 16, 64)
FIRST = "import sys, pneumo; assert pneumo.load(sys.argv[1]).predict(sys.argv[2]).status"
IMPORTS = "import cv2, numpy, onnxruntime, PIL.Image, pydantic"

Part = Callable[[int], object]  # timed in ms, unless it gives a number itself
Group = tuple[str, str, dict[str, Part]]  # title, the part that all are compared with, parts


def always(function: Callable[..., object], *arguments: object) -> Part:
    """What does the same in each round."""
    return lambda _: function(*arguments)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-command's arguments."""
    add = parser.add_argument
    text = "default: read; all: all but scale, which takes many minutes"
    add("what", nargs="?", choices=[*SUITES, "all"], default="read", help=text)
    add("paths", nargs="*", metavar="PATH", help="radiographs or folders; default: the examples")
    add("--model", choices=available_models() or None, help="default: every one there is")
    add("--rounds", type=int, default=5, help="default: 5")
    add("--json", type=Path, metavar="FILE", help="write the numbers there, too")


def run(args: argparse.Namespace) -> int:
    """Measure and print a table for each suite; an OutputError when no file is analyzed."""
    readers = [Reader(name) for name in (args.model and [args.model]) or available_models()]
    files = list(walk(args.paths or [str(bundled_folder("examples"))]))
    files = [path for path in files if readers and readers[0].predict(path).ok]
    if not files:
        raise OutputError("None of these files is analyzed. Please name some radiographs.")
    packages = ("torch", "onnxruntime", "gradio", "numpy")
    facts: dict = {"pneumo": __version__, "versions": {name: version(name) for name in packages}}
    facts |= {"machine": platform.platform(), "cores": cores(), "radiographs": len(files)}
    print(f"{facts['machine']}, {cores()} cores, {len(files)} radiographs, {args.rounds} rounds")
    suites = [name for name in SUITES if name != "scale"] if args.what == "all" else [args.what]
    for suite in suites:
        print(f"\n| {suite} | median | middle half | ratio |\n| --- | --- | --- | --- |")
        facts[suite] = []
        for group in SUITES[suite](readers, files):
            for row in compared(group, max(1, args.rounds)):
                facts[suite].append(row)
                low, high = row["half"]
                print(f"| {row['name']} | {row['median']:.1f} | {low:.1f}–{high:.1f} | "
                      f"{row['ratio']:.2f} |", flush=True)  # fmt: skip
    if args.json:
        write_whole(args.json, json.dumps(facts, indent=1).encode())
    return 0


def compared(group: Group, rounds: int) -> Iterator[dict]:
    """Median, quartiles and median ratio to one part of each part."""
    title, against, parts = group
    taken: dict[str, list[float]] = {name: [] for name in parts}
    for number in range(rounds + 1):  # the first time fills caches and does not count
        for name, part in parts.items():
            started = time.perf_counter()
            given = part(number)
            passed = 1000 * (time.perf_counter() - started)
            taken[name].append(given if isinstance(given, float) else passed)
    for name, values in taken.items():
        low, median, high = np.percentile(values[1:], (25, 50, 75)).tolist()
        ratio = float(np.median(np.array(values[1:]) / taken[against][1:]))
        yield {"name": f"{title}: {name}", "median": median, "half": [low, high], "ratio": ratio}


def read(readers: list[Reader], files: list[str]) -> Iterator[Group]:
    """From a decoded radiograph to its result, against PyTorch's bare forward pass."""
    import torch

    radiographs = [read_radiograph(path) for path in files]

    def on_one(function: Callable[[Radiograph], object], number: int) -> object:
        # A copy, of which nothing is known.
        return function(replace(radiographs[number % len(radiographs)]))

    for reader in readers:
        network, preprocessing = reader.checkpoint.network, reader.checkpoint.preprocessing
        x = preprocessing(radiographs[0].pixels)
        parts: dict[str, Part] = {"PyTorch forward, ms": always(torch.no_grad()(network), x)}
        if reader.graph is not None:
            parts["ONNX Runtime forward"] = always(reader.graph.logits, x.numpy())
        if reader.input_check is not None:
            parts["input check"] = partial(on_one, reader.input_check.examine)
        parts["input check, prediction, Grad-CAM"] = partial(on_one, reader.read_radiograph)
        yield reader.name, "PyTorch forward, ms", parts | _peers(reader, x)


def _peers(reader: Reader, x: Any) -> dict[str, Part]:
    """Grad-CAM by other packages, where they are installed."""
    network: Any = open_checkpoint(reader.name, reader.checkpoint.folder).network
    layer = getattr(network.requires_grad_(True), "layer4", None) or network.block3
    parts: dict[str, Part] = {}
    with contextlib.suppress(ImportError):
        from captum.attr import LayerGradCam

        captum = LayerGradCam(network, layer)
        parts["Grad-CAM by captum"] = lambda _: captum.attribute(x)
    with contextlib.suppress(ImportError):
        from pytorch_grad_cam import GradCAM
        from torch import nn

        # It wants a column for each class.
        package = GradCAM(nn.Sequential(network, nn.Unflatten(0, (-1, 1))), [layer])
        parts["Grad-CAM by grad-cam"] = lambda _: package(x)
    return parts


def start(readers: list[Reader], files: list[str]) -> Iterator[Group]:
    """From a new process to the page, and to a first result; and the app's memory when ready."""
    resident: list[float] = []

    def fresh(*words: str) -> Part:
        return lambda _: subprocess.run([sys.executable, "-c", *words], check=True) and None

    def page(_: int) -> float:
        started = time.perf_counter()
        with app("/") as (client, process):
            passed = 1000 * (time.perf_counter() - started)
            wait(client, process, "/health")
            resident.append(megabytes(process))
        return passed

    parts = {"import gradio, ms": fresh("import gradio"), "page answers": page}
    yield "app", "import gradio, ms", parts | {"memory, MB": lambda _: resident.pop()}
    parts = {"imports, ms": fresh(IMPORTS), "import torch": fresh("import torch")}
    for reader in readers:
        parts[f"first result, {reader.name}"] = fresh(FIRST, reader.name, files[0])
    yield "Python", "imports, ms", parts


def serve(readers: list[Reader], files: list[str]) -> Iterator[Group]:
    """Radiographs a second over HTTP by so many clients at once, against a reader in process."""
    reader = readers[-1]
    images = [Path(path).read_bytes() for path in files]
    many = list(islice(cycle(images), 4 * max(CLIENTS)))

    def rate(work: Callable[[bytes], object], workers: int) -> float:
        started = time.perf_counter()
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work, many))
        return len(many) / (time.perf_counter() - started)

    with app("/health") as (client, process):

        def ask(image: bytes) -> None:
            token = client.post("/gradio_api/upload", files={"files": image}).json()[0]
            file = {"path": token, "meta": {"_type": "gradio.FileData"}}
            body = {"data": [file, reader.name]}
            client.post("/gradio_api/run/predict", json=body).raise_for_status()

        held: list[float] = []

        def asked(clients: int) -> float:
            found = rate(ask, clients)
            held.append(megabytes(process))
            return found

        parts: dict[str, Part] = {"in process, a second": lambda _: rate(reader.predict, cores())}
        for count in CLIENTS:
            parts[f"{count} clients, a second"] = always(asked, count)
        yield reader.name, "in process, a second", parts
        # Of the second half, when all caches are full.
        late = held[len(held) // 2 :]
        slope = np.polyfit(np.arange(len(late)) * len(many) / 1000, late, 1)[0]
        analyses = f"memory after {len(held) * len(many)} analyses, MB"
        more = {analyses: always(float, late[-1]), "more per 1,000": always(float, slope)}
        yield reader.name, analyses, more


def batch(readers: list[Reader], files: list[str]) -> Iterator[Group]:
    """`predict` over all files, against decoding and one forward pass on all cores."""

    def bare(reader: Reader, path: str) -> None:
        pixels = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
        preprocessing = reader.checkpoint.preprocessing
        assert reader.graph and pixels is not None
        reader.graph.logits(preprocessing.values(preprocessing.square(pixels)))

    def bound(reader: Reader) -> None:
        with ThreadPoolExecutor(cores()) as pool:
            list(pool.map(partial(bare, reader), files))

    alone = [Reader(one.checkpoint, threads=1) for one in readers]
    for reader in (one for one in alone if one.graph):
        parts: dict[str, Part] = {"decoding and forward, ms": always(bound, reader)}
        parts["predict"] = always(lambda reader: list(analyze_all(files, reader)), reader)
        yield reader.name, "decoding and forward, ms", parts


def scale(readers: list[Reader], files: list[str]) -> Iterator[Group]:
    """Milliseconds for each of so many files, and for a JPEG of so many megapixels."""
    radiograph = read_radiograph(files[0]).pixels
    height, width = radiograph.shape
    sizes = {}
    for million in MEGAPIXELS:
        factor = (million * 1e6 / (height * width)) ** 0.5
        enlarged = cv2.resize(radiograph, None, fx=factor, fy=factor)
        sizes[f"{million} megapixels"] = cv2.imencode(".jpg", enlarged)[1].tobytes()
    for reader in (Reader(one.checkpoint, threads=1) for one in readers):

        def each(count: int, reader: Reader = reader) -> float:
            started = time.perf_counter()
            for _ in analyze_all(list(islice(cycle(files), count)), reader):
                pass
            return 1000 * (time.perf_counter() - started) / count

        parts: dict[str, Part] = {f"each of {n} files, ms": always(each, n) for n in FILES}
        yield reader.name, next(iter(parts)), parts
        parts = {name: always(reader.predict, image) for name, image in sizes.items()}
        yield reader.name, "1 megapixels", parts


SUITES: dict[str, Callable[[list[Reader], list[str]], Iterator[Group]]]
SUITES = {"read": read, "start": start, "serve": serve, "batch": batch, "scale": scale}


@contextlib.contextmanager
def app(path: str) -> Iterator[tuple[httpx.Client, subprocess.Popen]]:
    """The app in a process of its own once it answers at a path, and a client of it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1"}
    settings["NO_PROXY"] = "127.0.0.1"
    process = subprocess.Popen(
        [sys.executable, "-m", "pneumo", "app"],
        env=os.environ | settings,
        stdout=subprocess.DEVNULL,
    )
    url, limits = f"http://127.0.0.1:{port}", httpx.Limits(max_connections=max(CLIENTS))
    try:
        with httpx.Client(base_url=url, limits=limits, timeout=120, trust_env=False) as client:
            wait(client, process, path)
            yield client, process
    finally:
        process.terminate()
        process.wait()


def wait(client: httpx.Client, process: subprocess.Popen, path: str) -> None:
    """Until the app answers there; an OutputError when it has ended."""
    while process.poll() is None:
        with contextlib.suppress(httpx.TransportError):  # not there yet
            if client.get(path).status_code == 200:
                return
        time.sleep(0.02)
    raise OutputError("The app did not start. Try: pneumo app")


def megabytes(process: subprocess.Popen) -> float:
    """Resident memory of a process, MB; not a number where the system does not tell."""
    try:
        pages = Path(f"/proc/{process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return float("nan")
