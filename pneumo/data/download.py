"""The published dataset from its mirror on the Hugging Face Hub, as folders of images.

SOURCE.json records which of its parquet files are done, so that a stopped download goes on.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from pneumo.files import write_whole
from pneumo.hub import AGAIN, HubError, explained

MIRROR = "hf-vision/chest-xray-pneumonia"
ATTRIBUTION = "Kermany et al. 2018, CC BY 4.0, DOI 10.17632/rscbjbr9sj"
RECORD = "SOURCE.json"
LABELS = ("NORMAL", "PNEUMONIA")
# Parquet files lie here until their images are written; deleted at the end.
WAITING = ".download"
MOVED = (
    "The mirror may have moved: update Pneumo, check HF_ENDPOINT, or get the dataset from its "
    "publisher (DOI 10.17632/rscbjbr9sj)."
)
_SPLITS = {"train": "train", "test": "test", "validation": "val"}
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


def download(root: Path, splits: Sequence[str], place: Callable[[str, str], str]) -> dict:
    """Bring the images of some splits (train, test, val) into a folder; what is there is kept.

    `place` says for split and label which folder below `root`. Returns the record, whose "files"
    are parquet file -> image below `root` -> bytes. After a HubError it can be continued.
    """
    try:
        record = json.loads((root / RECORD).read_text(encoding="utf-8"))
        done = {path: images for path, images in record["files"].items() if _there(root, images)}
        if record["complete"] and len(done) == len(record["files"]):
            return record
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        record, done = {"revision": "", "files": {}}, {}
    with explained(MIRROR, MOVED):
        return _fetch(root, record, done, splits, place)


def _fetch(
    root: Path,
    old: dict,
    done: dict[str, dict[str, int]],
    splits: Sequence[str],
    place: Callable[[str, str], str],
) -> dict:
    from huggingface_hub import HfApi, hf_hub_download

    root.mkdir(parents=True, exist_ok=True)
    info = HfApi().dataset_info(MIRROR, files_metadata=True)
    ours = {name for images in old["files"].values() for name in images}
    files = done if old["revision"] == info.sha else {}
    record: dict = {"mirror": MIRROR, "attribution": ATTRIBUTION, "revision": info.sha}
    record["files"] = files
    found = set()
    for sibling in sorted(info.siblings or (), key=lambda sibling: sibling.rfilename):
        path = sibling.rfilename
        named = re.search(r"(?:^|[/_-])(train|test|validation)[-_.].*\.parquet$", path)
        if not named or (split := _SPLITS[named[1]]) not in splits:
            continue
        found.add(split)
        if path in files:
            continue
        file = hf_hub_download(
            MIRROR, path, repo_type="dataset", revision=info.sha, local_dir=root / WAITING
        )
        try:
            with open(file, "rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            if sibling.lfs and sha256 != sibling.lfs.sha256:
                raise HubError(
                    f"What came for {path} has another checksum than the file that is listed. A "
                    "proxy may be answering in its place: check the connection. " + AGAIN
                )
            files[path] = _unpack(root, Path(file), path, ours, lambda label: place(split, label))
        finally:
            Path(file).unlink()
        _write(root, {**record, "complete": False})
    if absent := ", ".join(sorted(set(splits) - found)):
        raise HubError(f"{MIRROR} holds no parquet file of {absent}. {MOVED}")
    _write(root, record := {**record, "complete": True})
    shutil.rmtree(root / WAITING, ignore_errors=True)
    return record


def _unpack(
    root: Path, parquet: Path, source: str, ours: set[str], folder: Callable[[str], str]
) -> dict[str, int]:
    """Write the images of a parquet file of the `datasets` library; their paths and sizes."""
    import pyarrow
    from pyarrow.parquet import ParquetFile

    written: dict[str, int] = {}
    try:
        with ParquetFile(parquet) as table:
            for batch in table.iter_batches(batch_size=16, columns=["image", "label"]):
                for row in batch.to_pylist():
                    content = row["image"]["bytes"]
                    if not content.startswith(_SIGNATURES):
                        raise ValueError("not a JPEG or PNG image")
                    called = safe_name(row["image"]["path"], content)
                    name = f"{folder(LABELS[row['label']])}/{called}"
                    target = root / name
                    if name in written or (
                        name not in ours and target.exists() and target.read_bytes() != content
                    ):
                        raise HubError(
                            f"{target} is already there and is not the published image of that "
                            "name. Choose another folder with --out, or move that file away."
                        )
                    target.parent.mkdir(parents=True, exist_ok=True)
                    write_whole(target, content)
                    written[name] = len(content)
    except (pyarrow.ArrowException, ValueError, LookupError, TypeError, AttributeError) as error:
        why = f"{source} does not hold labelled JPEG or PNG images. {MOVED}"
        raise HubError(why) from error
    return written


def safe_name(path: str | None, content: bytes) -> str:
    """The file name of a published image, or one after its content where that is no plain name."""
    name = PurePosixPath(path or "").name
    if re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}\.(jpe?g|png)", name):
        return name
    ending = "png" if content.startswith(_SIGNATURES[1]) else "jpeg"
    return f"image-{hashlib.sha256(content).hexdigest()[:16]}.{ending}"


def _write(root: Path, record: dict) -> None:
    write_whole(root / RECORD, json.dumps(record, indent=1).encode())


def _there(root: Path, images: dict[str, int]) -> bool:
    """Whether every image of a parquet file lies in the folder with the size it came with."""
    sizes = ((root / name, size) for name, size in images.items())
    return all(path.is_file() and path.stat().st_size == size for path, size in sizes)
