"""The rules of the house: imports run downhill, files stay small, nothing is typed twice."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from pneumo.training.model_card import model_card, with_results

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "pneumo").rglob("*.py"))
# A room may import itself and these.
DOWNHILL = {
    "imaging": set(),
    "models": {"imaging"},
    "hub": {"imaging"},
    "training": {"imaging", "models"},
    "ui": {"imaging", "models"},
    "commands": {"imaging", "models", "training", "hub"},
}


def tracked() -> list[str]:
    """Names of the files git knows; empty outside of a checkout."""
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    return listing.stdout.split() if listing.returncode == 0 else []


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_downhill(path):
    parts = path.relative_to(ROOT / "pneumo").parts
    if len(parts) == 1:
        return  # the public face and the command line see everything
    room, names = parts[0], imports(path)
    for other in (name.split(".")[1] for name in names if name.startswith("pneumo.")):
        assert other == room or other in DOWNHILL[room], f"{room} imports {other}"
    if room == "imaging":
        assert not any(name.split(".")[0] in ("torch", "torchvision") for name in names)
    private = [n for n in names if n.startswith("pneumo.") and n.split(".")[-1].startswith("_")]
    assert private == []


@pytest.mark.parametrize(
    "path", [*MODULES, ROOT / "app.py", ROOT / "train.py"], ids=lambda p: str(p.relative_to(ROOT))
)
def test_files_are_small_and_say_what_they_are_for(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    assert ast.get_docstring(ast.parse(text)), "no first line"


def test_front_matter_is_what_a_space_needs():
    readme = (ROOT / "README.md").read_text()
    assert readme.startswith("---\n")
    front = dict(re.findall(r"^(\w+): *(.+)$", readme.split("---\n")[1], re.M))
    pins = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "requirements.txt").read_text(), re.M))
    assert front["sdk"] == "gradio" and front["sdk_version"] == pins["gradio"]
    assert front["app_file"] == "app.py" and front["python_version"] == '"3.12"'
    assert len(front["short_description"]) <= 60  # the Hub's limit
    assert {"libgl1", "libglib2.0-0"} <= set((ROOT / "packages.txt").read_text().split())


def test_every_requirement_is_pinned():
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            assert not line or line.startswith(("#", "-r ")) or re.fullmatch(r"[\w-]+==\S+", line)


def test_card_and_readme_are_generated_from_the_json_files():
    written = (ROOT / "checkpoints" / "MODEL_CARD.md").read_text()
    assert written == model_card(), "run: python -m pneumo card"
    readme = (ROOT / "README.md").read_text()
    assert readme == with_results(readme), "run: python -m pneumo card"


def test_no_picture_of_a_patient_is_tracked():
    pictures = {".png", ".jpg", ".jpeg", ".dcm", ".webp", ".tif", ".tiff", ".bmp", ".gif"}
    allowed = ("examples/", "docs/")
    for name in tracked():
        if Path(name).suffix.lower() in pictures:
            assert name.startswith(allowed) and Path(name).suffix == ".png", name
