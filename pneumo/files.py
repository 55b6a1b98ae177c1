"""Files that came with the package, writing one whole or not at all, and usable processors."""

import json
import os
import secrets
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
LOCALES = _PACKAGE / "locales"  # sentences by key, LANGUAGE.json


def bundled_folder(name: str) -> Path:
    """The folder of this name, "checkpoints" or "examples": in the wheel, or in the checkout."""
    installed = _PACKAGE / "_bundled"
    return (installed if installed.is_dir() else _PACKAGE.parent) / name


@cache
def sentences(prefix: str) -> dict[str, str]:
    """The English sentences whose keys begin with a prefix, by the rest of the key."""
    texts = json.loads((LOCALES / "en.json").read_text(encoding="utf-8"))
    return {k.removeprefix(prefix): v for k, v in texts.items() if k.startswith(prefix)}


def cores() -> int:
    """How many processors this process may use: OMP_NUM_THREADS, CPU_CORES (of a Space), or all."""
    for name in ("OMP_NUM_THREADS", "CPU_CORES"):
        if (given := os.environ.get(name, "")).isdecimal() and int(given):
            return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside it, then give it its own: after an OSError nothing
    of it is left. What a symbolic link points to is replaced, and not the link."""
    path = Path(os.path.realpath(path))
    unfinished = path.with_name(f".pneumo-{secrets.token_hex(8)}.part")
    try:
        with unfinished.open("xb") as stream:
            stream.write(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
