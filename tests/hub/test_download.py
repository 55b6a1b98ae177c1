"""The two download commands against a local stub: whole, cut off, killed, refused, spoilt."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="pyarrow reads the mirror's files; it is in requirements.txt")

from tests.hub.stub import parquet, picture, serving

ROOT = Path(__file__).resolve().parents[2]
TRAIN_0, TRAIN_1 = "data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"
TEST, VAL = "data/test-00000-of-00001.parquet", "data/validation-00000-of-00001.parquet"
# The package's public face would bring torch into every one of these processes: step around it.
COMMAND = """
import argparse, importlib, os, resource, shutil, sys, types
sys.modules["pneumo"] = face = types.ModuleType("pneumo")
face.__path__ = ["pneumo"]
from pneumo.hub import remote
remote.WAIT_SECONDS = 0.01
exec(os.environ.get("BEFORE", ""))
command = importlib.import_module(f"pneumo.hub.{sys.argv[1]}_command")
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


@pytest.fixture
def hub():
    """A healthy stub with the dataset's own layout in small."""
    with serving({path: parquet(rows) for path, rows in ROWS.items()}) as running:
        running.files["README.md"] = b"---\nlicense: cc-by-4.0\n---\n"
        yield running


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


def test_everything_arrives_under_its_own_name_and_a_second_run_asks_nobody(hub, tmp_path):
    code, out, err = download(hub.url, tmp_path)
    assert code == 0, err
    assert films(tmp_path) == EXPECTED
    assert "download: 100%" in err
    assert "train/PNEUMONIA      6 films (published: 3875; the mirror has changed)" in out
    assert "Kermany et al. 2018, CC BY 4.0" in out
    assert not list((tmp_path / "home").rglob("*.parquet")), "the disk would hold all films twice"

    code, out, _ = download("http://127.0.0.1:9", tmp_path)
    assert (code, "complete already" in out) == (0, True)


def test_a_removed_or_shortened_film_comes_back_and_the_rest_is_not_fetched_again(hub, tmp_path):
    download(hub.url, tmp_path)
    (tmp_path / "out/train/NORMAL/IM-0002-0001.jpeg").write_bytes(b"short")
    (tmp_path / "out/train/NORMAL/IM-0003-0001.jpeg").unlink()
    hub.requests.clear()
    code, _, _ = download(hub.url, tmp_path)
    assert (code, films(tmp_path)) == (0, EXPECTED)
    assert [path for path, _ in hub.requests] == [TRAIN_0]


def test_a_connection_that_breaks_once_is_taken_up_in_the_same_run(hub, tmp_path):
    half = len(hub.files[TRAIN_0]) // 2
    hub.cut[TRAIN_0] = half  # every answer for this file ends after half the file's bytes
    code, _, err = download(hub.url, tmp_path)
    assert (code, films(tmp_path)) == (0, EXPECTED), err
    asked = [ranged for path, ranged in hub.requests if path == TRAIN_0]
    assert asked[:2] == [None, f"bytes={half}-"]
    assert hub.sent[TRAIN_0] == len(hub.files[TRAIN_0]), "bytes were fetched twice"


def test_a_cut_off_download_says_so_leaves_whole_films_only_and_resumes(hub, tmp_path):
    half = len(hub.files[TRAIN_1]) // 2
    hub.hang[TRAIN_1] = half
    running = start(hub.url, tmp_path)
    wait_for(lambda: any(part.stat().st_size == half for part in partial(tmp_path)))
    hub.status[TRAIN_1] = 503  # what a server that goes down says to every further request
    hub.cut[TRAIN_1] = half
    hub.hang.clear()
    _, err = running.communicate(timeout=120)
    assert running.returncode == 1
    assert "Run the same command again: it continues where it stopped." in err
    assert only_whole_films(tmp_path) and "Traceback" not in err

    hub.status.clear()
    hub.cut.clear()
    hub.requests.clear()
    code, _, err = download(hub.url, tmp_path)
    assert (code, films(tmp_path)) == (0, EXPECTED), err
    assert (TRAIN_1, f"bytes={half}-") in hub.requests
    assert (TRAIN_1, None) not in hub.requests
    assert hub.sent[TRAIN_1] == len(hub.files[TRAIN_1]), "bytes were fetched twice"


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_process_leaves_whole_films_only_and_the_next_one_goes_on(hub, tmp_path, sign):
    half = len(hub.files[TRAIN_0]) // 2
    hub.hang[TRAIN_0] = half
    running = start(hub.url, tmp_path)
    wait_for(lambda: any(part.stat().st_size == half for part in partial(tmp_path)))
    running.send_signal(sign)
    _, err = running.communicate(timeout=120)
    assert running.returncode == (130 if sign == signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in err
    assert only_whole_films(tmp_path)

    hub.hang.clear()
    hub.requests.clear()
    code, _, err = download(hub.url, tmp_path)
    assert (code, films(tmp_path)) == (0, EXPECTED), err
    assert [ranged for path, ranged in hub.requests if path == TRAIN_0] == [f"bytes={half}-"]


def test_a_server_that_knows_no_ranges_or_tells_no_sizes_still_serves(hub, tmp_path):
    hub.told = False
    hub.hang[TRAIN_0] = 1000
    running = start(hub.url, tmp_path)
    wait_for(lambda: any(part.stat().st_size == 1000 for part in partial(tmp_path)))
    running.kill()
    running.communicate(timeout=120)
    hub.hang.clear()
    hub.ranges = False
    code, _, err = download(hub.url, tmp_path)
    assert (code, films(tmp_path)) == (0, EXPECTED), err


def test_a_damaged_leftover_is_fetched_afresh(hub, tmp_path):
    hub.hang[TRAIN_0] = 1000
    running = start(hub.url, tmp_path)
    wait_for(lambda: any(part.stat().st_size == 1000 for part in partial(tmp_path)))
    running.kill()
    running.communicate(timeout=120)
    hub.hang.clear()
    leftover = next(part for part in partial(tmp_path) if part.stat().st_size == 1000)
    leftover.write_bytes(bytes(1000))
    code, _, err = download(hub.url, tmp_path)
    assert (code, films(tmp_path)) == (0, EXPECTED), err


def same_length(content: bytes) -> bytes:
    """Other bytes, as many."""
    return content[:100] + bytes([content[100] ^ 1]) + content[101:]


@pytest.mark.parametrize("change", [same_length, lambda content: b"<html>log in</html>"])
def test_wrong_content_is_refused_and_not_kept(hub, tmp_path, change):
    hub.instead[TEST] = change(hub.files[TEST])
    code, _, err = download(hub.url, tmp_path)
    assert code == 1
    assert f"for {TEST} is not the file it lists" in err
    assert only_whole_films(tmp_path) and not partial(tmp_path)
    hub.instead.clear()
    assert download(hub.url, tmp_path)[0] == 0
    assert films(tmp_path) == EXPECTED


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda hub: hub.status.update(listing=404), "(answer 404). The mirror may have moved"),
        (lambda hub: hub.status.update({TEST: 404}), "(answer 404). The mirror may have moved"),
        (lambda hub: hub.status.update(listing=401), "does not allow reading"),
        (lambda hub: hub.status.update({TEST: 500}), "is busy or out of order (answer 500"),
        (lambda hub: setattr(hub, "listing", b"<html>"), "answered with something that is not"),
        (lambda hub: setattr(hub, "listing", b"{}"), "answered with something that is not"),
        (lambda hub: hub.files.pop(TEST), "no parquet file of test"),
        (lambda hub: hub.files.clear(), "no parquet files of train, test or validation"),
        (lambda hub: hub.files.update({TEST: b"PAR1"}), "not a parquet file that can be read"),
        (
            lambda hub: hub.files.update({TEST: parquet(ROWS[TEST], image="photo")}),
            "has the columns photo, label",
        ),
        (
            lambda hub: hub.files.update({TEST: parquet([("a.jpeg", b"<svg>", 0)])}),
            f"row 0 of {TEST} holds no JPEG or PNG picture",
        ),
        (
            lambda hub: hub.files.update({TEST: parquet([("a.jpeg", picture(1), 7)])}),
            f"row 0 of {TEST} has the label 7",
        ),
    ],
)
def test_what_goes_wrong_is_said_in_a_sentence(hub, tmp_path, spoil, sentence):
    spoil(hub)
    code, out, err = download(hub.url, tmp_path)
    assert (code, out) == (1, "")
    assert sentence in err
    assert only_whole_films(tmp_path)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://no-such-host.invalid"])
def test_a_host_that_cannot_be_reached(tmp_path, url):
    code, _, err = download(url, tmp_path)
    assert code == 1
    assert f"{url} could not be reached" in err and "HF_ENDPOINT" in err
    assert not (tmp_path / "out").exists()


def test_hostile_missing_and_repeated_names_stay_in_their_folder(hub, tmp_path):
    one, two, three = picture(40), picture(41), picture(42)
    hub.files[TEST] = parquet(
        [
            ("../../../escaped.jpeg", one, 0),
            ("/etc/passwd", two, 0),
            ("..\\..\\up.jpeg", three, 1),
            (None, one, 1),
            ("", one, 1),
            ("..", two, 1),
            ("nul.jpeg", three, 1),
            ("new\nline\x00.jpeg", one, 1),
            ("x" * 500 + ".jpeg", two, 1),
            ("ESCAPED.jpeg", two, 0),
        ]
    )
    code, _, err = download(hub.url, tmp_path)
    assert code == 0, err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "out"]
    found = {name: content for name, content in films(tmp_path).items() if name.startswith("test")}
    assert len(found) == 10
    assert found["test/NORMAL/escaped.jpeg"] == one
    assert found["test/NORMAL/ESCAPED-2.jpeg"] == two
    assert found["test/NORMAL/passwd.jpeg"] == two
    assert found["test/PNEUMONIA/up.jpeg"] == three
    assert found["test/PNEUMONIA/new_line.jpeg"] == one
    assert max(map(len, found)) < 160


def test_a_file_of_the_users_is_not_overwritten(hub, tmp_path):
    mine = tmp_path / "out/test/NORMAL/NORMAL2-IM-0001-0001.jpeg"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    code, _, err = download(hub.url, tmp_path)
    assert code == 1
    assert str(mine) in err and "--out" in err
    assert mine.read_bytes() == b"mine"


def test_a_full_disk_is_told_before_and_while_it_happens(hub, tmp_path):
    """The second time, for the space is there when asked and gone when written."""
    full = "shutil.disk_usage = lambda path: types.SimpleNamespace(free=1000)"
    code, _, err = download(hub.url, tmp_path, BEFORE=full)
    assert (code, "0 MB are free" in err) == (1, True), err
    assert hub.requests == []

    half = len(hub.files[TRAIN_0]) // 2
    limit = f"resource.setrlimit(resource.RLIMIT_FSIZE, ({half}, {half}))"
    code, _, err = download(hub.url, tmp_path, BEFORE=limit)
    assert (code, "could not be written or read" in err) == (1, True), err
    assert only_whole_films(tmp_path)

    code, _, err = download(hub.url, tmp_path)
    assert (code, films(tmp_path)) == (0, EXPECTED), err
    assert (TRAIN_0, f"bytes={half}-") in hub.requests


def test_the_hubs_offline_switch_is_named(hub, tmp_path):
    code, _, err = download(hub.url, tmp_path, HF_HUB_OFFLINE="1")
    assert (code, "Unset HF_HUB_OFFLINE" in err) == (1, True), err


def test_a_second_download_at_the_same_time_is_turned_away(hub, tmp_path):
    hub.hang[TRAIN_0] = 1000
    first = start(hub.url, tmp_path)
    wait_for(lambda: partial(tmp_path))
    code, _, err = download(hub.url, tmp_path)
    assert (code, "Another download of this dataset is running" in err) == (1, True), err
    first.kill()
    first.communicate(timeout=120)
    hub.hang.clear()
    assert download(hub.url, tmp_path)[0] == 0


def test_an_out_folder_that_is_a_file(hub, tmp_path):
    (tmp_path / "out").write_text("a file")
    code, _, err = download(hub.url, tmp_path)
    assert code == 1
    assert "choose another folder" in err


def test_the_examples_are_the_validation_split_with_their_source(hub, tmp_path):
    code, _, err = download(hub.url, tmp_path, "examples")
    assert code == 0, err
    assert {path for path, _ in hub.requests} == {VAL}
    cases = json.loads((tmp_path / "out/cases.json").read_text())
    assert [case["truth"] for case in cases] == ["NORMAL", "PNEUMONIA"]
    for case in cases:
        assert set(case) == {"file", "title", "truth", "caption", "synthetic", "attribution"}
        assert case["synthetic"] is False
        assert "CC BY 4.0" in case["attribution"] and "10.17632/rscbjbr9sj" in case["attribution"]
        assert (tmp_path / "out" / case["file"]).read_bytes() == EXPECTED[f"val/{case['file']}"]
        assert case["truth"] not in case["title"]
    assert "bacterial pneumonia" in cases[1]["caption"]

    assert download("http://127.0.0.1:9", tmp_path, "examples")[0] == 0, "nothing left to fetch"


def wait_for(condition) -> None:
    """Waits until something that another process does has happened."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
