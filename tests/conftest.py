"""Fixtures for all tests: stand-in checkpoints, small datasets, and the real one if present."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from pneumo.models.card import write_card
from pneumo.models.checkpoint import Checkpoint, load_checkpoint, save_weights
from pneumo.models.preprocess import Preprocessing
from tests.cards import lively, whole_card, write_check
from tests.radiographs import example_paths, synthetic
from tests.served import ROOT, Server, headless_browser, running_app

# Workers share the cores: threads of one would wait for those of another, a third of the time of
# tests that train.
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
torch.set_num_threads(max(1, (os.cpu_count() or 1) // WORKERS))
# Kept from run to run: making the graphs of the networks takes a process with PyTorch.
os.environ.setdefault("PNEUMO_CACHE", str(ROOT / ".pytest_cache" / "pneumo"))


def find_data() -> Path | None:
    """The folder that holds train/ and test/: PNEUMO_DATA, then data/, then ../shared."""
    places = [os.environ.get("PNEUMO_DATA"), ROOT / "data", ROOT.parent / "shared"]
    for place in (Path(p) for p in places if p):
        for folder in (place, place / "chest_xray"):
            if (folder / "train" / "NORMAL").is_dir():
                return folder
    return None


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The real dataset; the test is skipped where it is not."""
    folder = find_data()
    if folder is None:
        pytest.skip("no dataset here: set PNEUMO_DATA or run python -m pneumo data download")
    return folder


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint folder with both networks, random but lively: each image has its own logit.

    Their input check passes whatever is not blank."""
    folder = tmp_path_factory.mktemp("checkpoints")
    write_check(folder)
    images = Preprocessing(size=128).tensor(np.stack([synthetic(s, size=128) for s in range(8)]))
    for seed, name in enumerate(("cnn", "resnet18")):
        network = lively(name, images, seed)
        write_card(whole_card(name, network.title, save_weights(network, folder)), folder)
    return folder


@pytest.fixture(scope="session", params=("cnn", "resnet18"))
def stand_in(stand_ins: Path, request: pytest.FixtureRequest) -> Checkpoint:
    """Each stand-in network in turn."""
    return load_checkpoint(request.param, stand_ins)


@pytest.fixture(scope="session")
def chromium():
    """A headless browser, one for all, since playwright starts only once in a process."""
    with headless_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of bundled examples, normal and not in turn: image-0.png to image-3.png; its
    cases.json lists the last two."""
    folder = tmp_path_factory.mktemp("images")
    for number in range(4):
        file = example_paths(opacity=bool(number % 2))[number // 2]
        shutil.copy(file, folder / f"image-{number}.png")
    shown = [
        {"file": f"image-{number}.png", "number": number, "synthetic": True} for number in (2, 3)
    ]
    (folder / "cases.json").write_text(json.dumps(shown))
    return folder


@pytest.fixture(scope="session")
def server(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app, started once for browser tests and attacks, with two examples."""
    folder = tmp_path_factory.mktemp("server")
    with running_app(folder, PNEUMO_EXAMPLES=str(images)) as running:
        yield running


@pytest.fixture(scope="session")
def png() -> bytes:
    """A radiograph with an opacity, as the bytes of a PNG file."""
    return cv2.imencode(".png", synthetic(0, 256, opacity=True))[1].tobytes()


@pytest.fixture
def png_path(tmp_path: Path) -> Path:
    """A normal radiograph as a PNG file."""
    path = tmp_path / "radiograph.png"
    cv2.imwrite(str(path), synthetic(3, size=512))
    return path


@pytest.fixture
def adults(tmp_path: Path) -> Path:
    """A folder of forty "adult" radiographs of twenty patients, both labels in both views."""
    root = tmp_path / "adults"
    (root / "images").mkdir(parents=True)
    lines = ["file,label,patient,view"]
    for i in range(40):
        name = f"{i // 2:04}_{i % 2}.png"
        cv2.imwrite(str(root / "images" / name), synthetic(i % 8, 64))
        label, view = ("NORMAL", "PNEUMONIA")[i // 4 % 2], ("PA", "AP")[i % 2]
        lines.append(f"{name},{label},{i // 2},{view}")
    (root / "labels.csv").write_text("\n".join(lines))
    return root


@pytest.fixture(scope="session")
def drawn_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset folder in the real name patterns: train (24 + 36) and test (6 + 6), with something
    to learn: those with PNEUMONIA are brighter in one lung."""
    root = tmp_path_factory.mktemp("dataset")
    rng = np.random.default_rng(0)
    chests = [synthetic(seed, size=96).astype(np.float32) for seed in range(8)]
    for split, normal, pneumonia in (("train", 24, 36), ("test", 6, 6)):
        for label, count in (("NORMAL", normal), ("PNEUMONIA", pneumonia)):
            (root / split / label).mkdir(parents=True)
            for i in range(count):
                # Varied by exposure and grain.
                pixels = chests[int(rng.integers(8))] * rng.uniform(0.7, 1.1)
                pixels += rng.normal(0, 4, pixels.shape)
                if label == "PNEUMONIA":
                    pixels[30:70, 15:40] += 70
                name = f"person{i}_{'bacteria' if i % 3 else 'virus'}_{i}"
                name = f"IM-{i:04d}-0001" if label == "NORMAL" else name
                picture = np.clip(pixels, 0, 255).astype(np.uint8)
                cv2.imwrite(str(root / split / label / f"{name}.jpeg"), picture)
    return root
