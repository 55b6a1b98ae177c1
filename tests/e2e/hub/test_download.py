"""Downloads against a local stub of the Hub: whole, cut off, stopped, and impossible ones."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pneumo.data.parquet import safe_name
from tests.e2e.hub.stub import parquet, picture, serving

ROOT = Path(__file__).resolve().parents[3]
TRAIN_0, TRAIN_1 = "data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"
TEST, VAL = "data/test-00000-of-00001.parquet", "data/validation-00000-of-00001.parquet"
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
# As on a disk that takes files of so many bytes.
LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
from pneumo.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def hub():
    """A healthy stub with the dataset's own layout in small."""
    with serving({path: parquet(rows) for path, rows in ROWS.items()}) as running:
        running.files["README.md"] = b"---\nlicense: cc-by-4.0\n---\n"
        yield running


def start(url: str, tmp_path: Path, command: str = "data", **more: str) -> subprocess.Popen:
    """Start a command that downloads into tmp_path/out; `more` goes into its environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    program = more.pop("program", "")
    line = ["-c", program] if program else ["-m", "pneumo"]
    return subprocess.Popen(
        [sys.executable, *line, command, "download", "--out", str(tmp_path / "out")],
        cwd=ROOT,
        env=kept
        | {"HF_ENDPOINT": url, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(tmp_path / "home")}
        | {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
        | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore Ctrl-C, and their children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def download(url: str, tmp_path: Path, command: str = "data", **more: str) -> tuple[int, str, str]:
    """Run a command to its end: exit code, standard output, standard error."""
    running = start(url, tmp_path, command, **more)
    out, err = running.communicate(timeout=120)
    assert "Traceback" not in err, err
    return running.returncode, out, err


def images(tmp_path: Path) -> dict[str, bytes]:
    """Every file of train/, test/ and val/ below the out folder."""
    out = tmp_path / "out"
    found = {f.relative_to(out).as_posix(): f.read_bytes() for f in out.rglob("*") if f.is_file()}
    return {name: data for name, data in found.items() if name.startswith(("tr", "te", "va"))}


def test_everything_arrives_under_its_own_name_and_a_second_run_asks_nobody(hub, tmp_path):
    code, out, err = download(hub.url, tmp_path)
    assert code == 0, err
    assert images(tmp_path) == EXPECTED
    assert "train/PNEUMONIA      6 images (published: 3875; the mirror has changed)" in out
    assert "Kermany et al. 2018, CC BY 4.0" in out
    assert not list(tmp_path.rglob("*.parquet")), "the disk would hold all images twice"

    code, out, _ = download("http://127.0.0.1:9", tmp_path)
    assert (code, "is complete" in out) == (0, True)


def test_a_shortened_image_comes_back_and_the_rest_is_not_fetched_again(hub, tmp_path):
    download(hub.url, tmp_path)
    (tmp_path / "out/train/NORMAL/IM-0002-0001.jpeg").write_bytes(b"short")
    (tmp_path / "out/train/NORMAL/IM-0003-0001.jpeg").unlink()
    hub.requests.clear()
    code, _, _ = download(hub.url, tmp_path)
    assert (code, images(tmp_path)) == (0, EXPECTED)
    assert {path for path, _ in hub.requests} == {TRAIN_0}


def test_a_connection_that_breaks_is_taken_up_in_the_same_run(hub, tmp_path):
    hub.cut[TRAIN_0] = len(hub.files[TRAIN_0]) // 2
    code, _, err = download(hub.url, tmp_path)
    assert (code, images(tmp_path)) == (0, EXPECTED), err
    assert [path for path, _ in hub.requests].count(TRAIN_0) == 2


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_process_leaves_whole_images_and_the_next_one_goes_on(hub, tmp_path, sign):
    hub.hang[TRAIN_1] = len(hub.files[TRAIN_1]) // 2
    running = start(hub.url, tmp_path)
    deadline = time.monotonic() + 60
    while TRAIN_1 not in hub.sent:
        assert time.monotonic() < deadline, "it never got so far"
        time.sleep(0.02)
    running.send_signal(sign)
    _, err = running.communicate(timeout=120)
    assert running.returncode == (1 if sign == signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in err
    assert images(tmp_path).items() < EXPECTED.items()

    hub.hang.clear()
    hub.requests.clear()
    code, _, err = download(hub.url, tmp_path)
    assert (code, images(tmp_path)) == (0, EXPECTED), err
    # In the order of their paths test came first, then both of train.
    assert {path for path, _ in hub.requests} == {TRAIN_1, VAL}


def test_wrong_content_is_refused_and_not_kept(hub, tmp_path):
    content = hub.files[TEST]
    hub.instead[TEST] = content[:100] + bytes([content[100] ^ 1]) + content[101:]
    code, _, err = download(hub.url, tmp_path)
    assert code == 1 and TEST in err and "checksum" in err
    assert not images(tmp_path)
    hub.instead.clear()
    assert download(hub.url, tmp_path)[0] == 0
    assert images(tmp_path) == EXPECTED


def test_the_examples_are_the_validation_split_with_their_source(hub, tmp_path):
    code, _, err = download(hub.url, tmp_path, "examples")
    assert code == 0, err
    assert {path for path, _ in hub.requests} == {VAL}
    cases = json.loads((tmp_path / "out/cases.json").read_text())
    assert [case["truth"] for case in cases] == ["NORMAL", "PNEUMONIA"]
    for case in cases:
        assert set(case) == {"file", "title", "truth", "caption", "synthetic", "attribution"}
        assert case["synthetic"] is False and case["truth"] not in case["title"]
        assert (tmp_path / "out" / case["file"]).read_bytes() == EXPECTED[f"val/{case['file']}"]
    assert "bacterial pneumonia" in cases[1]["caption"]


def _parquet(rows, **more):
    return lambda hub: hub.files.update({TEST: parquet(rows, **more)})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda hub: hub.status.update(listing=404),
        lambda hub: hub.status.update(listing=401),
        lambda hub: hub.status.update(listing=503),
        lambda hub: hub.status.update({TEST: 404}),
        lambda hub: setattr(hub, "listing", b"<html>"),
        lambda hub: setattr(hub, "listing", b"{}"),
        lambda hub: hub.files.pop(TEST),
        lambda hub: hub.files.update({TEST: b"PAR1"}),
        _parquet(ROWS[TEST], image="photo"),
        _parquet([("a.jpeg", b"<svg>", 0)]),
        _parquet([("a.jpeg", picture(1), 7)]),
    ],
)
def test_what_goes_wrong_is_a_sentence(hub, tmp_path, spoil):
    spoil(hub)
    code, out, err = download(hub.url, tmp_path)
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith("pneumo data: ") and err.endswith(".\n")
    assert images(tmp_path).items() <= EXPECTED.items()


@pytest.mark.parametrize(
    ("url", "more", "word"),
    [
        ("http://127.0.0.1:9", {}, "HF_ENDPOINT"),
        ("http://no-such-host.invalid", {}, "HF_ENDPOINT"),
        ("http://127.0.0.1:9", {"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE"),
    ],
)
def test_a_host_that_cannot_be_reached(tmp_path, url, more, word):
    code, _, err = download(url, tmp_path, **more)
    assert code == 1 and word in err
    assert not images(tmp_path)


def test_a_full_disk_is_a_sentence_and_leaves_whole_images(hub, tmp_path):
    code, _, err = download(hub.url, tmp_path, program=LIMITED)
    assert code == 1 and "cannot be written" in err
    assert images(tmp_path).items() <= EXPECTED.items()
    assert download(hub.url, tmp_path)[0] == 0 and images(tmp_path) == EXPECTED


def test_a_file_of_the_users_is_not_overwritten(hub, tmp_path):
    mine = tmp_path / "out/test/NORMAL/NORMAL2-IM-0001-0001.jpeg"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    code, _, err = download(hub.url, tmp_path)
    assert code == 1 and str(mine) in err and "--out" in err
    assert mine.read_bytes() == b"mine"


def test_an_out_folder_that_is_a_file(hub, tmp_path):
    (tmp_path / "out").write_text("a file")
    code, _, err = download(hub.url, tmp_path)
    assert code == 1 and "another folder" in err


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../../escaped.jpeg", "escaped.jpeg"),
        ("/etc/passwd", "passwd.jpeg"),
        ("..\\..\\up.jpeg", "up.jpeg"),
        ("new\nline\x00.jpeg", "new_line.jpeg"),
        ("x" * 500 + ".png", "x" * 120 + ".png"),
        ("nul.jpeg", None),
        ("..", None),
        ("", None),
        (None, None),
    ],
)
def test_hostile_and_missing_names_stay_in_their_folder(name, expected):
    found = safe_name(name, b"content", ".jpeg")
    assert found == expected if expected else found.startswith("image-") and "/" not in found


def test_images_of_one_name_are_all_kept(hub, tmp_path):
    rows = [("a.jpeg", picture(40), 0), ("A.jpeg", picture(41), 0), ("a.jpeg", picture(42), 0)]
    hub.files[TEST] = parquet(rows)
    assert download(hub.url, tmp_path)[0] == 0
    found = {name: data for name, data in images(tmp_path).items() if name.startswith("test")}
    assert sorted(found.values()) == sorted(content for _, content, _ in rows)
