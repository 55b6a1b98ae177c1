"""Runs the two download commands in processes of their own, against a small stub of the hub."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.e2e.hub.stub import picture

ROOT = Path(__file__).resolve().parents[3]
TRAIN_0, TRAIN_1 = "data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"
TEST, VAL = "data/test-00000-of-00001.parquet", "data/validation-00000-of-00001.parquet"
# The package's public face would bring torch into every one of these processes: step around it.
COMMAND = """
import argparse, importlib, os, resource, shutil, sys, types
sys.modules["pneumo"] = face = types.ModuleType("pneumo")
face.__path__ = ["pneumo"]
from pneumo.data import download_remote as remote
remote.WAIT_SECONDS = 0.01
exec(os.environ.get("BEFORE", ""))
command = importlib.import_module(f"pneumo.data.download_{sys.argv[1]}_command")
parser = argparse.ArgumentParser()
command.add_arguments(parser)
sys.exit(command.run(parser.parse_args(sys.argv[2:])))
"""

ROWS = {
    TRAIN_0: [(f"IM-{n:04}-0001.jpeg", picture(n, 160), 0) for n in range(6)],
    TRAIN_1: [(f"person{n}_bacteria_{n}.jpeg", picture(10 + n, 160), 1) for n in range(6)],
    TEST: [("NORMAL2-IM-0001-0001.jpeg", picture(20), 0), ("person1_virus_6.jpeg", picture(21), 1)],
    VAL: [
        ("NORMAL2-IM-1427-0001.jpeg", picture(30), 0),
        ("person1946_bacteria_4874.jpeg", picture(31), 1),
    ],
}
EXPECTED = {
    f"{folder}/{('NORMAL', 'PNEUMONIA')[label]}/{name}": content
    for path, folder in ((TRAIN_0, "train"), (TRAIN_1, "train"), (TEST, "test"), (VAL, "val"))
    for name, content, label in ROWS[path]
}


def environment(url: str, home: Path) -> dict[str, str]:
    """The process environment of a command that must see the stub and nothing else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return kept | {
        "HF_ENDPOINT": url,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(home),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "OMP_NUM_THREADS": "1",
    }


def start(url: str, tmp_path: Path, command: str = "data", **more: str) -> subprocess.Popen:
    """Starts a command that downloads into tmp_path/out; `more` goes into its environment."""
    line = [sys.executable, "-c", COMMAND, command, "--out", str(tmp_path / "out")]
    return subprocess.Popen(
        line,
        cwd=ROOT,
        env=environment(url, tmp_path / "home") | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore Ctrl-C, and their children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def download(
    url: str, tmp_path: Path, command: str = "data", **more: str
) -> tuple[int, str, str]:
    """Runs a command to its end: exit code, standard output, standard error."""
    running = start(url, tmp_path, command, **more)
    out, err = running.communicate(timeout=120)
    assert "Traceback" not in err, err
    return running.returncode, out, err


def films(tmp_path: Path) -> dict[str, bytes]:
    """Every file below the out folder but the record."""
    out = tmp_path / "out"
    found = {f.relative_to(out).as_posix(): f.read_bytes() for f in out.rglob("*") if f.is_file()}
    found.pop("SOURCE.json", None)
    return found


def only_whole_films(tmp_path: Path) -> bool:
    """Whether all that lies in the out folder is published films, to the last byte."""
    return films(tmp_path).items() <= EXPECTED.items()


def partial(tmp_path: Path) -> list[Path]:
    """The downloads that wait to be continued."""
    return list((tmp_path / "home").rglob("*.part"))


def partial_of(tmp_path: Path, size: int) -> Path | None:
    """The waiting download that has so many bytes, if there is one."""
    for part in partial(tmp_path):
        # The command goes on meanwhile: a shard that is whole is renamed between the two looks.
        with contextlib.suppress(FileNotFoundError):
            if part.stat().st_size == size:
                return part
    return None


def wait_for(condition) -> None:
    """Waits until something that another process does has happened."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
