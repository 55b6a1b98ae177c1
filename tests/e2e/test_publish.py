"""Publishing to a Hub of this process, and what comes back from it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

import pneumo
from pneumo.models.card import CheckpointError, checkpoint_folder
from pneumo.models.checkpoint import available_models
from tests.hub import Hub, running_hub
from tests.served import ROOT
from tests.unit.commands.shell import run


@pytest.fixture
def hub(monkeypatch, tmp_path) -> Iterator[Hub]:
    """A Hub that this process's client takes for the real one."""
    with running_hub() as served:
        served.connect(monkeypatch, tmp_path / "cache")
        yield served


@pytest.fixture
def said(capsys) -> Callable[[], str]:
    """What was printed since the last time; never a traceback."""

    def read() -> str:
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return out + err

    return read


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    """A repository with this tree's files committed, which the command takes for its own."""
    folder = tmp_path / "pneumo"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    ).stdout.splitlines()
    for name in filter(lambda name: (ROOT / name).is_file(), listed):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    me = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*me, "commit", "-q", "-m", "Try"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    monkeypatch.setattr("pneumo.commands.publish.bundled_folder", lambda name: folder / name)
    return folder


def test_a_space_gets_the_committed_files_it_needs_and_no_others(checkout, hub, said):
    publish = ("publish", "space", "me/pneumo")
    assert run(*publish, "--dry-run") == 0 and "  app.py" in said() and not hub.made
    (checkout / "pneumo/new.py").touch()
    assert run(*publish) == 1 and "pneumo/new.py" in said() and not hub.made
    (checkout / "pneumo/new.py").unlink()
    assert run(*publish) == 0
    shown, files = said(), hub.files("spaces/me/pneumo")
    asked = hub.made["spaces/me/pneumo"]
    assert (asked["sdk"], asked["hardware"]) == ("gradio", "zero-a10g")
    assert {"app.py", "requirements.txt", "pneumo/locales/en.json"} <= set(files)
    assert not any(name.startswith(("tests/", ".git", "pneumo/training")) for name in files)
    _, front, text = files.pop("README.md").decode().split("---\n", 2)
    for name, content in files.items():
        assert content == (checkout / name).read_bytes(), name
        assert len(content) < 10_000_000 and f"{len(content):,}  {name}" in shown
    assert (checkout / "README.md").read_text("utf-8").endswith(text)
    front = yaml.safe_load(front)
    assert front["models"] == ["me/pneumo"] and "/me/pneumo/" in front["thumbnail"]
    assert front["thumbnail"].partition("/main/")[2] in files and front["app_file"] in files


def test_a_model_comes_back_as_it_was_published(hub, said, tmp_path, png_path, monkeypatch):
    source = checkpoint_folder()
    assert run("publish", "model", "me/nets", "--checkpoints", source) == 0
    files, revision = hub.files("models/me/nets"), hub.sha("models/me/nets")
    for name in set(files) - {"README.md"}:
        assert files[name] == (source / name).read_bytes(), name
    index = yaml.safe_load(files["README.md"].decode().split("---\n")[1]).get("model-index", [])
    assert len({entry["name"] for entry in index}) == len(index)
    address = f"hf://me/nets@{revision}"
    assert address in said()

    def predict(name: str) -> int:
        return run("predict", png_path, "--model", name, "--no-input-check", "--format", "jsonl")

    names = available_models()
    reader = pneumo.load(address, input_check=False)
    assert reader.name in names and reader.predict(png_path).ok
    assert predict(f"{address}#{names[0]}") == 0 and f'"{names[0]}"' in said()
    # Whatever is wrong is a sentence.
    wrong = {
        "hf://me/nets": "no address", "hf://me/none@main": "(404)",
        f"{address}#vgg": "holds no checkpoint", "vgg": "none of",
    }  # fmt: skip
    for name, words in wrong.items():
        assert predict(name) in (1, 2) and words in said()
    # Weights of another card: caught by their sha256.
    weights = next(name for name in files if name.startswith(names[0]) and ".safet" in name)
    hub.commits["models/me/nets"].append(files | {weights: files[weights][:-4] + bytes(4)})
    assert predict(f"hf://me/nets@main#{names[0]}") == 1 and "sha256" in said()
    # Without a network what was fetched is still there.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert predict(address) == 0
    said()
    assert predict("hf://me/other@main") == 1 and "HF_HUB_OFFLINE" in said()
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(tmp_path))
    with pytest.raises(CheckpointError, match="HF_HUB_OFFLINE"):
        pneumo.load("hf://me/other@main")


def test_what_cannot_be_published_is_told(said, tmp_path, monkeypatch):
    assert run("publish", "model", "me/x", "--checkpoints", tmp_path, "--dry-run") == 1
    monkeypatch.setattr("pneumo.commands.publish.bundled_folder", lambda name: tmp_path / name)
    assert run("publish", "space", "me/x", "--dry-run") == 1
    shown = said()
    assert "no checkpoint" in shown and "git checkout" in shown
