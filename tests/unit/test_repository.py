"""The repository: a Space's front matter, pins, generated texts, and no picture of a patient."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from pneumo.reporting.model_card import model_card, with_results

ROOT = Path(__file__).resolve().parents[2]


def tracked() -> list[str]:
    """Names of the files git knows; empty outside of a checkout."""
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    return listing.stdout.split() if listing.returncode == 0 else []


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
