"""The repository: a Space's front matter, pins that agree, and no image of a patient."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import pneumo
from tests.served import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def tracked() -> list[str]:
    """Names of the files git knows; empty outside of a checkout."""
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    return listing.stdout.splitlines() if listing.returncode == 0 else []


def pins(name: str) -> dict[str, str]:
    """Package -> version that a requirements file pins; every line must pin one."""
    found = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "-r ")):
            package, version = re.fullmatch(r"([\w-]+)(?:\[\w+])?==(\S+)", line).groups()
            found[canonicalize_name(package)] = version
    return found


def test_front_matter_is_what_a_space_needs():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("---\n")
    front = yaml.safe_load(readme.split("---\n")[1])
    assert front["sdk"] == "gradio" and front["sdk_version"] == pins("requirements.txt")["gradio"]
    assert (ROOT / front["app_file"]).is_file() and front["python_version"] == "3.12"
    assert len(front["short_description"]) <= 60  # the Hub's limit
    assert {"title", "license", "tags", "datasets", "models", "thumbnail"} <= set(front)
    torch = tuple(map(int, pins("requirements.txt")["torch"].split(".")))
    assert (2, 8) <= torch < (2, 12), "what ZeroGPU takes"
    assert len(readme.splitlines()) <= 120


@pytest.mark.parametrize(
    ("file", "extra"),
    [("requirements.txt", None), ("requirements-train.txt", "train"),
     ("requirements-dev.txt", "test")],
)  # fmt: skip
def test_what_is_pinned_is_what_the_package_asks_for(file, extra):
    lines = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    asked = {canonicalize_name(r.name): r for r in map(Requirement, lines) if r.name != "pneumo"}
    pinned = pins(file)
    assert set(asked) == set(pinned)
    for name, requirement in asked.items():
        assert requirement.specifier.contains(pinned[name]), name


def test_wheels_for_the_processor_have_the_pinned_versions_and_hashes():
    text = (ROOT / "requirements-cpu.txt").read_text(encoding="utf-8")
    wheels = dict(
        re.findall(r"^(\w+)==([\d.]+)\+cpu(?: \\\n    --hash=sha256:[0-9a-f]{64})+$", text, re.M)
    )
    assert wheels == {name: pins("requirements.txt")[name] for name in ("torch", "torchvision")}


def test_what_the_container_copies_is_there_and_not_ignored():
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines():
        for name in line.split()[1:-1] if line.startswith("COPY ") else ():
            assert (ROOT / name).exists() and f"!{name}" in allowed, name
    service = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]["pneumo"]
    assert service["read_only"] and service["cap_drop"] == ["ALL"]


def test_versions_agree():
    version = pneumo.__version__
    assert re.search(rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)$",
                     (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)  # fmt: skip
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_no_image_of_a_patient_is_tracked():
    images = {".png", ".jpg", ".jpeg", ".dcm", ".webp", ".tif", ".tiff", ".bmp", ".gif"}
    synthetic = {"pneumo/data/synthetic_adults.jpg"}  # tools/synthetic/adults.py draws them
    for name in set(tracked()) - synthetic:
        if Path(name).suffix.lower() in images:
            assert name.startswith(("examples/", "docs/")) and name.endswith(".png"), name
