"""The wheel: built, unpacked into an empty folder, used from another one without the extras."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.served import ROOT

# As where only the serving requirements are installed, and no checkout is near.
USES = """
import sys
for name in ("sklearn", "scipy", "pyarrow", "accelerate", "ray"):
    sys.modules[name] = None
import pneumo
from pneumo.cli import main
from pneumo.files import bundled_folder
assert "_bundled" in str(bundled_folder("examples")) and "site" in pneumo.__file__
image = str(next(bundled_folder("examples").glob("*.png")))
assert main(["predict", image, "--format", "jsonl"]) == 0
from pneumo.ui.layout import build_demo
demo = build_demo()
demo.store.warm_up()
for model in ("cnn", "resnet18"):
    reading = demo.store.read(demo.store.decode(open(image, "rb").read()), model)
    assert reading.ok and reading.lungs is not None, reading.reason
    assert demo.store.reader(model).backend == "onnxruntime"
assert "torch" not in sys.modules
ray = ["predict", image, "--engine", "ray"]
for words in (["train", "--model", "cnn"], ["data", "audit", "."], ["examples", "download"], ray):
    assert main(words) == 1
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    words = ["-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", str(out)]
    done = subprocess.run([sys.executable, *words, str(ROOT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(out.glob("pneumo-*.whl"))


def test_it_carries_weights_examples_and_what_the_page_needs(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    listed = subprocess.run(
        ["git", "ls-files", "checkpoints", "examples"], cwd=ROOT, capture_output=True, text=True
    ).stdout.splitlines()
    assert {f"pneumo/_bundled/{name}" for name in listed} <= names
    assert {"pneumo/py.typed", "pneumo/locales/en.json"} <= names
    assert not any(name.startswith(("tests/", "tools/", "docs/")) for name in names)


def test_it_runs_from_any_folder_without_the_extras(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    environment.pop("PNEUMO_CHECKPOINTS", None)
    done = subprocess.run(
        [sys.executable, "-c", USES], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0 and '"status": "ok"' in done.stdout, done.stderr
    for extra in ("train", "ray"):
        assert f"pip install '.[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr
