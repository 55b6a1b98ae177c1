"""pneumo publish: upload the app as a Space, or the models, to the Hugging Face Hub.

Log in first with `hf auth login`. --dry-run lists the files and their sizes and uploads nothing.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from fnmatch import fnmatch
from pathlib import Path

from pneumo.files import bundled_folder, write_whole
from pneumo.hub import HubError, explained

MOST_BYTES = 10_000_000  # of a file in the Hub's plain repositories
# The files of a checkout, in git's order, that a Space runs with or shows.
SPACE = (
    "README.md", "LICENSE", "CHANGELOG.md", "app.py", "requirements.txt", "pneumo/*",
    "checkpoints/*", "examples/*.json", "examples/*.png", "docs/screenshots/analyze.png",
)  # fmt: skip
# What training and evaluation alone need.
NOT_SPACE = ("checkpoints/*_imagenet.safetensors", "pneumo/training/*", "pneumo/evaluation/*")
ADVICE = (
    "Check the name, and log in with `hf auth login` and a token that may write there. Free "
    "accounts can host the app on ZeroGPU alone: --hardware zero-a10g."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `publish space` and `publish model`."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    texts = {
        "space": "this checkout as a Gradio Space: committed files alone, without git's history",
        "model": "weights, cards, input check and README with the results as model-index",
    }
    for kind, text in texts.items():
        add = commands.add_parser(kind, help=text, description=text).add_argument
        add("repository", metavar="OWNER/NAME", help="made if it is missing")
        add("--dry-run", action="store_true", help="list files and sizes, upload nothing")
        add("--private", action="store_true", help="make it private when it is made")
        if kind == "space":
            text = "when it is made: zero-a10g (default), cpu-basic ..."
            add("--hardware", default="zero-a10g", metavar="NAME", help=text)
        else:
            place = bundled_folder("checkpoints")
            add("--checkpoints", type=Path, default=place, metavar="DIR", help="default: bundled")
    parser.set_defaults(hardware=None)


def run(args: argparse.Namespace) -> int:
    """Say what is uploaded, then do it.

    Raises:
        HubError, CheckpointError: each with a sentence.
    """
    kind = "model" if "checkpoints" in args else "space"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        message = _model(args.checkpoints, folder) if kind == "model" else _space(folder, args)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        for path in files:
            print(f"{path.stat().st_size:>10,}  {path.relative_to(folder).as_posix()}")
        print(
            f"{sum(path.stat().st_size for path in files):>10,}  in {len(files)} files: {message}"
        )
        if large := [path.name for path in files if path.stat().st_size > MOST_BYTES]:
            raise HubError(f"The Hub takes no file over 10 MB here: {', '.join(large)}.")
        if args.dry_run:
            print(f"Nothing was uploaded to the {kind} {args.repository}.")
            return 0
        _upload(args, kind, folder, message)
    return 0


def _upload(args: argparse.Namespace, kind: str, folder: Path, message: str) -> None:
    from huggingface_hub import HfApi

    api = HfApi()
    with explained(args.repository, ADVICE):
        place = api.create_repo(
            args.repository,
            repo_type=kind,
            exist_ok=True,
            private=args.private or None,
            space_sdk="gradio" if kind == "space" else None,
            space_hardware=args.hardware,
        )
        done = api.upload_folder(
            repo_id=args.repository,
            repo_type=kind,
            folder_path=folder,
            commit_message=message,
            delete_patterns="*",  # what an earlier version had and this one has not
        )
    print(f"Uploaded to {place}, commit {done.oid}.")
    if kind == "model":
        print(f"Load it with: pneumo.load('hf://{args.repository}@{done.oid}')")


def _model(source: Path, folder: Path) -> str:
    """Copy the checkpoints and write their card as README.md; the commit's message."""
    from pneumo.models.checkpoint import COMPANIONS, available_models, load_checkpoint
    from pneumo.reading.input_check import load_input_check
    from pneumo.reporting.model_card import model_card

    if not (names := available_models(source)):
        raise HubError(f"{source} holds no checkpoint. Train one: python train.py --model cnn")
    checkpoints = [load_checkpoint(name, source) for name in names]
    for card in (checkpoint.card for checkpoint in checkpoints):
        index = f"{card.name}.safetensors.index.json"
        for file in (f"{card.name}.json", index, *card.weights.files, *COMPANIONS):
            if file != index or (source / file).is_file():
                here = source / file
                shutil.copy(
                    here if here.is_file() else bundled_folder("checkpoints") / file, folder
                )
    text = model_card(
        [checkpoint.card for checkpoint in checkpoints], load_input_check(source).file
    )
    write_whole(folder / "README.md", text.encode())
    return "Weights " + ", ".join(f"{one.name} {one.weights_sha256[:12]}" for one in checkpoints)


def _space(folder: Path, args: argparse.Namespace) -> str:
    """Copy what a Space needs out of the checkout; the commit's message."""
    root = bundled_folder("checkpoints").parent
    tracked = _git(root, "ls-files", "-z").split("\0")
    files = [
        file for file in tracked
        if any(fnmatch(file, wanted) for wanted in SPACE)
        and not any(fnmatch(file, other) for other in NOT_SPACE)
    ]  # fmt: skip
    if changed := _git(root, "status", "--porcelain", "--", *files, "pneumo").splitlines():
        sentence = (
            f"{changed[0][3:]} and {len(changed) - 1} others differ from the last commit. "
            "Commit or stash them, so that the Space is a version that exists."
        )
        if not args.dry_run:
            raise HubError(sentence)
        print(sentence)
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / file, folder / file)
    # The front matter names the Space's own picture, and its models by the same name.
    _, front, text = (folder / "README.md").read_text("utf-8").split("---\n", 2)
    readme = "\n".join(("---", front.replace("OWNER/NAME", args.repository) + "---", text))
    write_whole(folder / "README.md", readme.encode())
    return f"Pneumo at {_git(root, 'rev-parse', '--short=12', 'HEAD').strip()}"


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", root, *words], capture_output=True, text=True)
    except FileNotFoundError:
        raise HubError("A Space is uploaded from a git checkout: install git.") from None
    if done.returncode or not (root / "app.py").is_file():
        raise HubError(f"A Space is uploaded from a git checkout of Pneumo; {root} is none.")
    return done.stdout
