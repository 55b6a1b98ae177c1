"""Keeps a folder of fetched films: each file whole or absent, and a record of where all came from.

The record, `SOURCE.json`, is rewritten after every parquet file of the mirror. It lists the films
that are there, so a download continues with the next parquet file, and one that is complete needs
no network to find that out.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pneumo.data.download_remote import (
    SPARE_BYTES,
    HubError,
    RemoteFile,
    disk_error,
    fetch,
    list_parquet,
)
from pneumo.data.download_shards import read_shard

MIRROR = "hf-vision/chest-xray-pneumonia"
ATTRIBUTION = "Kermany et al. 2018, CC BY 4.0, DOI 10.17632/rscbjbr9sj"
RECORD = "SOURCE.json"
UNFINISHED = ".unfinished.part"

Place = Callable[[str, str], str]  # (split, label) -> folder below the root


@dataclass
class Record:
    """What a folder holds: parquet file -> its key and its films (path below the root -> bytes)."""

    root: Path
    revision: str = ""
    complete: bool = False
    shards: dict[str, dict] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path) -> "Record":
        """Reads the record of a folder; an absent or unreadable one is an empty one."""
        try:
            stored = json.loads((root / RECORD).read_text(encoding="utf-8"))
            shards = {
                str(path): {
                    "key": str(shard["key"]),
                    "split": str(shard["split"]),
                    "films": {str(name): int(size) for name, size in shard["films"].items()},
                }
                for path, shard in stored["shards"].items()
            }
            return cls(root, str(stored["revision"]), stored["complete"] is True, shards)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(root)

    def write(self) -> None:
        """Writes the record, whole or not at all."""
        text = {
            "mirror": MIRROR,
            "attribution": ATTRIBUTION,
            "revision": self.revision,
            "complete": self.complete,
            "shards": self.shards,
        }
        write_whole(self.root, RECORD, json.dumps(text, indent=1).encode())

    def films(self) -> dict[str, int]:
        """All films: path below the root -> size in bytes."""
        together: dict[str, int] = {}
        for shard in self.shards.values():
            together |= shard["films"]
        return together

    def is_there(self, shard: dict) -> bool:
        """Whether every film of a parquet file lies in the folder with the size it came with."""
        return all(
            (self.root / name).is_file() and (self.root / name).stat().st_size == size
            for name, size in shard["films"].items()
        )

    def all_there(self, splits: Sequence[str]) -> bool:
        """Whether a finished download of these splits is still as it was."""
        held = self.shards.values()
        same_splits = {shard["split"] for shard in held} == set(splits)
        return self.complete and same_splits and all(map(self.is_there, held))


def fetch_films(root: Path, splits: Sequence[str], place: Place) -> Record:
    """Brings the films of `splits` into `root`; what is there already is left as it is.

    Args:
        root: The folder; made when absent.
        splits: Of train, test, val.
        place: Says in which folder below `root` the films of a split and label belong.

    Raises:
        HubError: With everything that is whole kept for the next attempt.
    """
    record = Record.read(root)
    if record.all_there(splits):
        return record
    try:
        return _fetch_missing(record, splits, place)
    except OSError as error:
        raise disk_error(error) from error


def _fetch_missing(record: Record, splits: Sequence[str], place: Place) -> Record:
    from filelock import Timeout
    from huggingface_hub import cached_assets_path
    from huggingface_hub.utils import WeakFileLock

    listed = [remote for remote in list_parquet(MIRROR) if remote.split in splits]
    absent = [split for split in splits if split not in {remote.split for remote in listed}]
    if absent:
        raise HubError(
            f"{MIRROR} has changed: it holds no parquet file of {' or '.join(absent)}. Update "
            "Pneumo, or get the dataset from its publisher (DOI 10.17632/rscbjbr9sj)."
        )
    record.root.mkdir(parents=True, exist_ok=True)
    # A folder for each choice of splits, so that the two commands do not wait for one another.
    cache = cached_assets_path("pneumo", MIRROR, "-".join(splits))
    unfinished = record.root / UNFINISHED
    try:
        with WeakFileLock(cache / "lock", timeout=2):
            try:
                unfinished.unlink(missing_ok=True)  # of a run that was killed
                _fetch_shards(record, listed, place, cache)
            finally:
                unfinished.unlink(missing_ok=True)
    except Timeout as error:
        raise HubError(
            "Another download of this dataset is running. Wait until it is done, or stop it."
        ) from error
    return record


def _fetch_shards(
    record: Record, listed: Sequence[RemoteFile], place: Place, cache: Path
) -> None:
    from tqdm import tqdm

    done = {remote.path for remote in listed if _is_done(record, remote)}
    missing = [remote for remote in listed if remote.path not in done]
    sizes = [remote.size for remote in missing]
    _check_space(record.root, sum(size or 0 for size in sizes))
    # Films that earlier runs brought may be replaced; any other file in the way is not ours.
    ours = set(record.films())
    record.shards = {path: shard for path, shard in record.shards.items() if path in done}
    record.revision, record.complete = listed[0].revision, False
    total = None if None in sizes else sum(sizes)
    with tqdm(total=total, unit="B", unit_scale=True, desc="download") as bar:
        for count, remote in enumerate(missing, 1):
            bar.set_postfix_str(f"file {count} of {len(missing)}")
            parquet = fetch(remote, cache, bar)
            bar.set_postfix_str(f"file {count} of {len(missing)}, unpacking")
            try:
                films = _unpack(record, remote, parquet, place, ours)
            except HubError:
                parquet.unlink(missing_ok=True)  # another attempt must not meet it again
                raise
            record.shards[remote.path] = {
                "key": remote.key, "split": remote.split, "films": films
            }
            record.write()
            parquet.unlink(missing_ok=True)
    record.complete = True
    record.write()
    for leftover in cache.glob("*.part"):  # of files that the mirror no longer lists
        leftover.unlink()


def _is_done(record: Record, remote: RemoteFile) -> bool:
    shard = record.shards.get(remote.path)
    return shard is not None and shard["key"] == remote.key and record.is_there(shard)


def _unpack(
    record: Record, remote: RemoteFile, parquet: Path, place: Place, ours: set[str]
) -> dict[str, int]:
    """Writes the films of one parquet file and returns their paths and sizes."""
    taken = {name.lower() for name in record.films()}
    films = {}
    for film in read_shard(parquet, remote.path):
        folder = place(remote.split, film.label)
        name = _free_name(f"{folder}/{film.name}" if folder else film.name, taken)
        target = record.root / name
        if target.exists() and name not in ours and target.read_bytes() != film.content:
            raise HubError(
                f"{target} is already there and is not the published film of that name. Choose "
                "another folder with --out, or move that file away."
            )
        write_whole(record.root, name, film.content)
        films[name] = len(film.content)
        taken.add(name.lower())
    return films


def _free_name(name: str, taken: set[str]) -> str:
    """`name`, or with -2, -3 ... before its ending when another film is called so."""
    stem, _, ending = name.rpartition(".")
    free, count = name, 1
    while free.lower() in taken:
        count += 1
        free = f"{stem}-{count}.{ending}"
    return free


def write_whole(root: Path, name: str, content: bytes) -> None:
    """Writes root/name so that nobody ever sees it half-written."""
    target = root / name
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = root / UNFINISHED
    unfinished.write_bytes(content)
    unfinished.replace(target)


def _check_space(root: Path, needed: int) -> None:
    free = shutil.disk_usage(root).free
    if needed + SPARE_BYTES > free:
        raise HubError(
            f"The films need about {needed / 1e6:.0f} MB in {root}, where {free / 1e6:.0f} MB are "
            "free. Free some space or choose a folder on another disk with --out."
        )
