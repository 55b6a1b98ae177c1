"""The wheel: built, installed into an empty folder, used from another one without the extras."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# As where only the serving requirements are installed, and no checkout is near.
WITHOUT_EXTRAS = """
import sys
for name in ("sklearn", "scipy", "pyarrow", "accelerate"):
    sys.modules[name] = None
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-q",
        "-w",
        str(out),
        str(ROOT),
    ]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(out.glob("pneumo-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def python(code: str, installed: Path, cwd: Path) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    environment.pop("PNEUMO_CHECKPOINTS", None)
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS + code], cwd=cwd, env=environment,
        capture_output=True, text=True,
    )  # fmt: skip


def test_it_carries_weights_examples_and_what_the_page_needs(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for tracked in ("checkpoints", "examples"):
        listed = subprocess.run(
            ["git", "ls-files", tracked], cwd=ROOT, capture_output=True, text=True
        ).stdout.splitlines()
        assert {f"pneumo/_bundled/{name}" for name in listed} <= set(names)
    assert "pneumo/py.typed" in names and "pneumo/ui/locales/en.json" in names
    assert not any(name.startswith(("tests/", "tools/", "docs/")) for name in names)


def test_predict_runs_from_any_folder_without_the_extras(installed, tmp_path):
    code = """
import pneumo, sys
from pneumo.files import bundled_folder
from pneumo.cli import main
assert "_bundled" in str(bundled_folder("examples")) and "site" in pneumo.__file__
image = str(next(bundled_folder("examples").glob("*.png")))
sys.exit(main(["predict", image, "--format", "jsonl"]))
"""
    done = python(code, installed, tmp_path)
    assert done.returncode == 0 and '"status": "ok"' in done.stdout, done.stderr


def test_the_app_is_built_without_the_extras(installed, tmp_path):
    done = python("from pneumo.ui.layout import build_demo; build_demo()", installed, tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_command_that_needs_an_extra_says_so(installed, tmp_path):
    for words in (["train", "--model", "cnn"], ["data", "audit", "."], ["examples", "download"]):
        code = f"from pneumo.cli import main; import sys; sys.exit(main({words}))"
        done = python(code, installed, tmp_path)
        assert done.returncode == 1 and "pip install" in done.stderr
        assert "Traceback" not in done.stderr
