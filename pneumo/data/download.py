"""The published dataset from its mirror on the Hugging Face Hub, as folders of images.

huggingface_hub lists and fetches; what comes are parquet files, whose images are written as they
were published. SOURCE.json records which parquet files are done, so that a download that was
stopped goes on with the next one, and a complete folder needs no network.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from pneumo.data.parquet import ParquetError, read_images
from pneumo.files import write_whole

MIRROR = "hf-vision/chest-xray-pneumonia"
ATTRIBUTION = "Kermany et al. 2018, CC BY 4.0, DOI 10.17632/rscbjbr9sj"
RECORD = "SOURCE.json"
# Parquet files lie here until their images are written; deleted at the end.
WAITING = ".download"
AGAIN = "Run the same command again: it continues where it stopped."
MOVED = (
    "The mirror may have moved: update Pneumo, check HF_ENDPOINT, or get the dataset from its "
    "publisher (DOI 10.17632/rscbjbr9sj)."
)
_SPLITS = {"train": "train", "test": "test", "validation": "val", "valid": "val", "val": "val"}
_SPLIT = re.compile(r"(?:^|[/_-])(train|test|validation|valid|val)(?=[-_/.])")

Place = Callable[[str, str], str]  # (split, label) -> folder below the root


class DownloadError(RuntimeError):
    """The dataset could not be fetched; the message says why and what to do."""


def download(root: Path, splits: Sequence[str], place: Place) -> dict:
    """Bring the images of some splits into a folder; what is there already is kept.

    Args:
        root: the folder; made when absent.
        splits: of train, test, val.
        place: says in which folder below `root` the images of a split and label belong.

    Returns:
        The record: "mirror", "attribution", "revision", "complete", and "files": parquet file ->
        image below `root` -> its size in bytes.

    Raises:
        DownloadError: with everything that is whole kept for the next attempt.
    """
    record = _read_record(root)
    if record["complete"] and all(_is_there(root, images) for images in record["files"].values()):
        return record
    with _explained():
        root.mkdir(parents=True, exist_ok=True)
        _fetch(root, record, splits, place)
    return record


def _fetch(root: Path, record: dict, splits: Sequence[str], place: Place) -> None:
    from huggingface_hub import HfApi, hf_hub_download

    info = HfApi().dataset_info(MIRROR, files_metadata=True)
    listed = {}
    for sibling in sorted(info.siblings or (), key=lambda sibling: sibling.rfilename):
        found = _SPLIT.search(sibling.rfilename)
        if found and sibling.rfilename.endswith(".parquet") and _SPLITS[found[1]] in splits:
            listed[sibling.rfilename] = _SPLITS[found[1]], sibling.lfs
    if absent := set(splits) - {split for split, _ in listed.values()}:
        raise DownloadError(
            f"{MIRROR} holds no parquet file of {' or '.join(sorted(absent))}. {MOVED}"
        )
    ours = {name for images in record["files"].values() for name in images}
    same = record["revision"] == info.sha
    done = {
        path: images
        for path, images in record["files"].items()
        if same and path in listed and _is_there(root, images)
    }
    record.update(revision=info.sha, complete=False, files=done)
    for path, (split, lfs) in listed.items():
        if path in done:
            continue
        parquet = Path(
            hf_hub_download(
                MIRROR, path, repo_type="dataset", revision=info.sha, local_dir=root / WAITING
            )
        )
        if lfs and _sha256(parquet) != lfs.sha256:
            parquet.unlink()
            raise DownloadError(
                f"What came for {path} is not the file that is listed (its checksum differs). A "
                "proxy may be answering in its place: check the connection and run the command "
                "again."
            )
        try:
            done[path] = _unpack(root, parquet, path, split, place, ours, done)
        finally:
            parquet.unlink()
        _write_record(root, record)
    record["complete"] = True
    _write_record(root, record)
    shutil.rmtree(root / WAITING, ignore_errors=True)


def _unpack(
    root: Path, parquet: Path, called: str, split: str, place: Place, ours: set[str], done: dict
) -> dict[str, int]:
    """Write the images of one parquet file; their paths and sizes."""
    taken = {name.casefold() for images in done.values() for name in images}
    written = {}
    for image in read_images(parquet, called):
        name = _free_name(f"{place(split, image.label)}/{image.name}", taken)
        target = root / name
        if target.exists() and name not in ours and target.read_bytes() != image.content:
            raise DownloadError(
                f"{target} is already there and is not the published image of that name. Choose "
                "another folder with --out, or move that file away."
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, image.content)
        written[name] = len(image.content)
    return written


def _free_name(name: str, taken: set[str]) -> str:
    """`name`, or with -2, -3 ... before its ending when another image is called so."""
    stem, _, ending = name.rpartition(".")
    free, count = name, 1
    while free.casefold() in taken:
        count += 1
        free = f"{stem}-{count}.{ending}"
    taken.add(free.casefold())
    return free


def _read_record(root: Path) -> dict:
    """The record of a folder; an absent or unreadable one is an empty one."""
    empty: dict = {"mirror": MIRROR, "attribution": ATTRIBUTION, "revision": ""}
    empty |= {"complete": False, "files": {}}
    try:
        stored = json.loads((root / RECORD).read_text(encoding="utf-8"))
        files = {
            str(path): {str(name): int(size) for name, size in images.items()}
            for path, images in stored["files"].items()
        }
        complete = stored["complete"] is True and bool(files)
        return empty | {"revision": stored["revision"], "complete": complete, "files": files}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return empty


def _write_record(root: Path, record: dict) -> None:
    write_whole(root / RECORD, json.dumps(record, indent=1).encode())


def _is_there(root: Path, images: dict[str, int]) -> bool:
    """Whether every image of a parquet file lies in the folder with the size it came with."""
    return all(
        (root / name).is_file() and (root / name).stat().st_size == size
        for name, size in images.items()
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _explained() -> Iterator[None]:
    """Turns what the Hub's client, the network and the disk raise into a `DownloadError`."""
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    # Of the HTTP library that the client uses.
    http_error = cast(type[Exception], HfHubHTTPError.__mro__[1])
    host = constants.ENDPOINT
    try:
        yield
    except ParquetError as error:
        raise DownloadError(f"{error} {MOVED}") from error
    except OfflineModeIsEnabled as error:
        raise DownloadError(f"Unset HF_HUB_OFFLINE: {MIRROR} must be fetched.") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in (408, 429) or status >= 500:
            raise DownloadError(f"{host} is busy or out of order ({status}). {AGAIN}") from error
        raise DownloadError(f"{host} does not give {MIRROR} ({status}). {MOVED}") from error
    except (http_error, LocalEntryNotFoundError, ConnectionError, TimeoutError) as error:
        raise DownloadError(
            f"{host} cannot be reached. Check the network connection, HTTPS_PROXY if there is a "
            f"proxy, and HF_ENDPOINT if it is set. {AGAIN}"
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DownloadError(f"{host} does not answer as the Hub does. {MOVED}") from error
    except OSError as error:
        where = error.filename or "The download"
        raise DownloadError(
            f"{where} cannot be written or read ({error.strerror or error}). Make room, or choose "
            f"another folder with --out. {AGAIN}"
        ) from error
