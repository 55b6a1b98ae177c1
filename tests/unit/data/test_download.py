"""Downloads with a Hub of this process: whole, stopped, spoilt, and impossible ones."""

import hashlib
import json
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pneumo.data.download import safe_name
from tests.unit.commands.shell import run
from tests.unit.imaging.files import chest, picture


def noise(seed: int) -> bytes:
    """A JPEG of nobody."""
    return picture(chest(48, 48, seed), "JPEG")


def parquet(rows: list[tuple[str | None, bytes, object]]) -> bytes:
    """A parquet file as the `datasets` library writes it, of (name, encoded picture, label)."""
    images = [{"bytes": content, "path": name} for name, content, _ in rows]
    sink = BytesIO()
    pq.write_table(pa.table({"image": images, "label": [label for *_, label in rows]}), sink)
    return sink.getvalue()


TEST, TRAIN_0, TRAIN_1, VAL = FILES = (
    "data/test-00000-of-00001.parquet", "data/train-00000-of-00002.parquet",
    "data/train-00001-of-00002.parquet", "data/validation-00000-of-00001.parquet",
)  # fmt: skip
ROWS = {
    TEST: [("NORMAL2-IM-0001-0001.jpeg", noise(20), 0), ("person1_virus_6.jpeg", noise(21), 1)],
    TRAIN_0: [(f"IM-{n:04}-0001.jpeg", noise(n), 0) for n in range(4)],
    TRAIN_1: [(f"person{n}_bacteria_{n}.jpeg", noise(10 + n), 1) for n in range(4)],
    VAL: [("NORMAL2-IM-1427-0001.jpeg", noise(30), 0), ("person1946_virus_1.jpeg", noise(31), 1)],
}
EXPECTED = {
    f"{folder}/{('NORMAL', 'PNEUMONIA')[label]}/{name}": content
    for path, folder in zip(FILES, ("test", "train", "train", "val"), strict=True)
    for name, content, label in ROWS[path]
}


class Hub:
    """Stands in for the Hub's client: lists its files and fetches them, noting which were `asked`;
    `failure` is raised instead of the listing, or of the file that `fails_at` names, and `sent` is
    other content than the listing's checksum is of, by path."""

    def __init__(self) -> None:
        self.files = {path: parquet(rows) for path, rows in ROWS.items()}
        self.sent: dict[str, bytes] = {}
        self.failure: BaseException | None = None
        self.fails_at = ""
        self.asked: list[str] = []

    def dataset_info(self, *_: object, **__: object) -> SimpleNamespace:
        if self.failure and not self.fails_at:
            raise self.failure
        sums = {path: hashlib.sha256(data).hexdigest() for path, data in self.files.items()}
        siblings = [
            SimpleNamespace(rfilename=path, lfs=SimpleNamespace(sha256=sha256))
            for path, sha256 in sums.items()
        ]
        return SimpleNamespace(sha="0123456789ab", siblings=siblings)

    def fetch(self, repo: str, path: str, *, local_dir: Path, **_: object) -> str:
        self.asked.append(path)
        if self.failure and path == self.fails_at:
            raise self.failure
        target = Path(local_dir) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self.sent.get(path, self.files[path]))
        return str(target)


@pytest.fixture
def hub(monkeypatch) -> Hub:
    made = Hub()
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: made)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", made.fetch)
    return made


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where downloads go."""
    return tmp_path / "out"


def download(out: Path, command: str = "data") -> int:
    return run(command, "download", "--out", out)


def images(out: Path) -> dict[str, bytes]:
    """Every file of train/, test/ and val/."""
    found = {f.relative_to(out).as_posix(): f.read_bytes() for f in out.rglob("*") if f.is_file()}
    return {name: data for name, data in found.items() if name.startswith(("tr", "te", "va"))}


def test_everything_arrives_and_only_what_is_missing_is_fetched_again(hub, out, capsys):
    assert (download(out), images(out)) == (0, EXPECTED)
    shown = capsys.readouterr().out
    assert "train/PNEUMONIA      4 images" in shown
    assert "Kermany et al. 2018, CC BY 4.0" in shown
    assert not list(out.rglob("*.parquet")), "the disk would hold all images twice"
    (out / "train/NORMAL/IM-0002-0001.jpeg").write_bytes(b"short")
    (out / "train/NORMAL/IM-0003-0001.jpeg").unlink()
    hub.asked.clear()
    assert (download(out), images(out), hub.asked) == (0, EXPECTED, [TRAIN_0])
    hub.failure = ConnectionError()  # nobody is asked where all is complete
    assert download(out) == 0 and "is complete" in capsys.readouterr().out


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), ConnectionError(), OSError(28, "full")])
def test_a_stopped_download_keeps_whole_images_and_goes_on(hub, out, stop, capsys):
    hub.failure, hub.fails_at = stop, TRAIN_1
    assert download(out) == 1
    assert images(out).items() < EXPECTED.items() and capsys.readouterr().err.endswith(".\n")
    hub.failure = None
    hub.asked.clear()
    assert (download(out), images(out), hub.asked) == (0, EXPECTED, [TRAIN_1, VAL])


def test_wrong_content_is_refused_and_not_kept(hub, out, capsys):
    hub.sent[TEST] = parquet(ROWS[VAL])
    assert download(out) == 1
    assert TEST in (shown := capsys.readouterr().err) and "checksum" in shown and not images(out)
    hub.sent.clear()
    assert (download(out), images(out)) == (0, EXPECTED)


def test_the_examples_are_the_validation_split_with_their_source(hub, out):
    assert download(out, "examples") == 0 and hub.asked == [VAL]
    cases = json.loads((out / "cases.json").read_text())
    assert [case["truth"] for case in cases] == ["NORMAL", "PNEUMONIA"]
    for case in cases:
        assert case["synthetic"] is False and "CC BY" in case["attribution"]
        assert case["truth"] not in case["title"]
        assert (out / case["file"]).read_bytes() == EXPECTED[f"val/{case['file']}"]


def test_a_file_of_the_users_is_not_overwritten(hub, out, capsys):
    out.write_text("a file")
    assert download(out) == 1 and "another folder" in capsys.readouterr().err
    out.unlink()
    mine = out / "test/NORMAL/NORMAL2-IM-0001-0001.jpeg"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    assert download(out) == 1 and str(mine) in capsys.readouterr().err
    assert mine.read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["../../up.jpeg", "/etc/a.png", "a\nb.png", "a" * 500, "", None])
def test_hostile_and_missing_names_stay_in_their_folder(name):
    found = safe_name(name, b"\xff\xd8\xff")
    assert found in ("up.jpeg", "a.png") or (found.startswith("image-") and found.endswith(".jpeg"))
