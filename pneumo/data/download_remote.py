"""What a dataset on the Hugging Face Hub holds, and a download that continues where it was cut off.

The Hub's own client (checked with huggingface_hub 2.4) starts every interrupted download again
from the first byte. Its listing, addresses, session and headers are used here; the few lines that
append to a partial file with an HTTP range are this module's.
"""

import hashlib
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RETRIES = 5  # in a row, without a single new byte
WAIT_SECONDS = 1.0  # before the first retry; doubled before each further one
TIMEOUT_SECONDS = 30.0
SPARE_BYTES = 50_000_000  # disk space left alone
SPLITS = {"train": "train", "test": "test", "validation": "val", "valid": "val", "val": "val"}
SPLIT_IN_PATH = re.compile(r"(?:^|[/_-])(train|test|validation|valid|val)(?=[-_/.])")
RETRIED_STATUSES = (408, 429, 500, 502, 503, 504)
AGAIN = "Run the same command again: it continues where it stopped."


class HubError(RuntimeError):
    """The data could not be fetched; the message is a sentence for the person who asked for it."""


@dataclass(frozen=True)
class RemoteFile:
    """One file of a dataset repository, pinned to a commit.

    `size` (bytes) and `sha256` (hex digest) are None where the mirror does not tell them.
    """

    repo: str
    revision: str
    path: str
    split: str
    size: int | None
    sha256: str | None

    @property
    def key(self) -> str:
        """A file name that stands for this content and no other."""
        if self.sha256:
            return self.sha256
        return hashlib.sha256(f"{self.repo}@{self.revision}/{self.path}".encode()).hexdigest()


def list_parquet(repo: str) -> tuple[RemoteFile, ...]:
    """Lists the parquet files of the splits train, test and val, in the order of their paths.

    Raises:
        HubError: The mirror cannot be reached, is gone, or holds no such files.
    """
    from huggingface_hub import HfApi

    # Datasets uploaded in another form have a parquet copy on a branch the Hub makes itself.
    for branch in (None, "refs/convert/parquet"):
        try:
            with explained(f"the list of files of {repo}"):
                info = HfApi().dataset_info(
                    repo, revision=branch, files_metadata=True, timeout=TIMEOUT_SECONDS
                )
            files = tuple(_remote_files(repo, info, branch or "main"))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise HubError(
                f"{_endpoint()} answered with something that is not the list of files of {repo}. A "
                "proxy or a captive Wi-Fi page may be answering in its place: check the connection "
                "and HF_ENDPOINT."
            ) from error
        if files:
            return files
    raise HubError(
        f"{repo} on {_endpoint()} has changed: it holds no parquet files of train, test or "
        "validation any more. Update Pneumo, or get the dataset from its publisher "
        "(DOI 10.17632/rscbjbr9sj)."
    )


def _remote_files(repo: str, info: Any, branch: str) -> Iterator[RemoteFile]:
    for sibling in sorted(info.siblings or (), key=lambda sibling: sibling.rfilename):
        found = SPLIT_IN_PATH.search(sibling.rfilename)
        if not found or not sibling.rfilename.endswith(".parquet"):
            continue
        lfs = sibling.lfs
        size = sibling.size if sibling.size is not None else getattr(lfs, "size", None)
        digest = getattr(lfs, "sha256", None)
        revision = info.sha or branch
        yield RemoteFile(repo, revision, sibling.rfilename, SPLITS[found[1]], size, digest)


def fetch(remote: RemoteFile, folder: Path, bar: Any) -> Path:
    """Downloads one file into `folder`, continuing a partial one, and checks what arrived.

    Args:
        remote: The file.
        folder: Where `KEY.part` grows until it is whole and becomes `KEY.parquet`.
        bar: A tqdm bar that counts bytes; it is told of the bytes already there, too.

    Raises:
        HubError: With the partial file kept, unless its content was wrong.
    """
    whole, part = folder / f"{remote.key}.parquet", folder / f"{remote.key}.part"
    if whole.exists():
        bar.update(whole.stat().st_size)
        return whole
    _check_space(remote, part)
    continued = part.exists()
    while True:
        bar.update(_size(part))
        _download(remote, part, bar)
        if _is_as_listed(remote, part):
            part.replace(whole)
            return whole
        bar.update(-_size(part))
        part.unlink(missing_ok=True)
        if not continued:
            raise _wrong_content(remote)
        continued = False  # the leftover was damaged, not necessarily the mirror: once more, afresh


def _download(remote: RemoteFile, part: Path, bar: Any) -> None:
    """Appends to `part` until the server has nothing more to send."""
    failures = 0
    while True:
        before = _size(part)
        if before and before == remote.size:
            return
        try:
            with explained(remote.path):
                _append(remote, part, bar)
                if remote.size is not None and _size(part) < remote.size:
                    raise _Interrupted(f"{_endpoint()} stopped sending {remote.path} half-way.")
            return
        except _Interrupted as error:
            failures = 0 if _size(part) > before else failures + 1
            if failures > RETRIES:
                raise HubError(f"{error} {AGAIN}") from error
            time.sleep(WAIT_SECONDS * 2 ** max(failures - 1, 0))


def _append(remote: RemoteFile, part: Path, bar: Any) -> None:
    """Asks once for the bytes that are missing and writes what comes."""
    from huggingface_hub import get_session, hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    have = _size(part)
    url = hf_hub_url(remote.repo, remote.path, repo_type="dataset", revision=remote.revision)
    # Bytes as they are stored: a range of a compressed answer would be a range of other bytes.
    headers = build_hf_headers() | {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = {"headers": headers, "follow_redirects": True, "timeout": TIMEOUT_SECONDS}
    with get_session().stream("GET", url, **request) as response:
        if response.status_code == 416:  # nothing beyond what is there: the checks decide
            return
        if response.status_code >= 400:
            raise _refusal(response.status_code, remote.path)
        announced = _announced_size(response)
        if None not in (remote.size, announced) and remote.size != announced:
            raise _wrong_content(remote)
        starts = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        goes_on = response.status_code == 206 and starts is not None and int(starts[1]) == have
        if have and not goes_on:
            bar.update(-have)
        with part.open("ab" if have and goes_on else "wb") as file:
            for chunk in response.iter_bytes():
                file.write(chunk)
                file.flush()  # a killed process keeps what it had
                bar.update(len(chunk))


def _announced_size(response: Any) -> int | None:
    """How long an answer says the whole file is, in bytes, where it says so."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return None
    total = response.headers.get("Content-Range", "").rpartition("/")[2]
    if response.status_code == 200:
        total = response.headers.get("Content-Length", "")
    return int(total) if total.isdigit() else None


def _is_as_listed(remote: RemoteFile, part: Path) -> bool:
    if not part.exists() or (remote.size is not None and _size(part) != remote.size):
        return False
    if remote.sha256 is None:
        return True
    digest = hashlib.sha256()
    with part.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == remote.sha256


def _check_space(remote: RemoteFile, part: Path) -> None:
    needed = max((remote.size or 0) - _size(part), 0)
    free = shutil.disk_usage(part.parent).free
    if needed + SPARE_BYTES > free:
        raise HubError(
            f"{remote.path} needs {needed / 1e6:.0f} MB more in {part.parent}, where "
            f"{free / 1e6:.0f} MB are free. Free some space, or set HF_HOME to a folder on a "
            f"larger disk. {AGAIN}"
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _endpoint() -> str:
    from huggingface_hub import constants

    return constants.ENDPOINT


def _wrong_content(remote: RemoteFile) -> HubError:
    return HubError(
        f"What {_endpoint()} sent for {remote.path} is not the file it lists (its size or checksum "
        "differs), so nothing of it was kept. A proxy or a captive Wi-Fi page may be answering in "
        "its place: check the connection and run the same command again."
    )


class _Interrupted(HubError):
    """A failure that may be over in a moment."""


def _refusal(status: int, what: str) -> HubError:
    where = _endpoint()
    if status in RETRIED_STATUSES:
        return _Interrupted(f"{where} is busy or out of order (answer {status} to {what}).")
    if status in (401, 403):
        return HubError(
            f"{where} does not allow reading {what} (answer {status}). The dataset is public: a "
            "token that has expired may be in the way (run `hf auth logout`), or a proxy."
        )
    return HubError(
        f"{where} does not have {what} (answer {status}). The mirror may have moved: update "
        "Pneumo, check HF_ENDPOINT, or get the dataset from its publisher "
        "(DOI 10.17632/rscbjbr9sj)."
    )


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turns what the Hub's client, the network and the disk raise into a `HubError`."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    # The HTTP library under the client has changed its name between versions; its base error is
    # the one the client's own error is derived from.
    http_error = HfHubHTTPError.__mro__[1]
    try:
        yield
    except HubError:
        raise
    except OfflineModeIsEnabled as error:
        raise HubError(
            "The Hub's client is set to offline. Unset HF_HUB_OFFLINE and run the command again."
        ) from error
    except HfHubHTTPError as error:
        raise _refusal(error.response.status_code, what) from error
    except (http_error, ConnectionError, TimeoutError) as error:
        raise _Interrupted(
            f"{_endpoint()} could not be reached ({error or type(error).__name__}). Check the "
            "network connection, HTTPS_PROXY if there is a proxy, and HF_ENDPOINT if it is set."
        ) from error
    except OSError as error:
        raise disk_error(error) from error


def disk_error(error: OSError) -> HubError:
    """The sentence for a file that could not be written or read."""
    where = error.filename or "the disk"
    return HubError(
        f"{where} could not be written or read ({error.strerror or error}). Make room or choose "
        f"another folder (--out, or HF_HOME for the partial downloads). {AGAIN}"
    )
