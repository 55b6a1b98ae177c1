"""pneumo predict: no result takes the place of an input, no name or full disk stops a batch, and
no name runs as a formula in a spreadsheet."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest

from pneumo.commands.records import plain
from tests.radiographs import synthetic
from tests.served import ROOT
from tests.unit.commands.shell import run

IMAGE = cv2.imencode(".png", synthetic(1, size=96))[1].tobytes()


@pytest.fixture
def ward(tmp_path, monkeypatch, stand_ins) -> Path:
    """A folder with three radiographs; stand-in networks."""
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))
    folder = tmp_path / "ward"
    folder.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        (folder / name).write_bytes(IMAGE)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def predict(*words: object) -> int:
    return run("predict", "--model", "cnn", *words)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_heatmaps_beside_the_images_leave_them_as_they_are(ward, tmp_path):
    before = contents(ward)
    for out in ("one.jsonl", "two.jsonl"):  # the second run meets the results of the first
        predict(ward, "--heatmaps", ward, "--format", "jsonl", "--output", tmp_path / out)
        assert {name: contents(ward)[name] for name in before} == before
        assert [Path(r["path"]).name for r in lines(tmp_path / out)] == sorted(before)
    assert len(contents(ward)) == 9


# What is prepared, and the words of the command; a word without a dash is a path beside the ward.
ATTACKS = {
    "target in the folder": (lambda ward: None, "ward --output ward/b.png"),
    "input by link": (
        lambda ward: (ward.parent / "link").symlink_to(ward / "a.png"),
        "link --output ward/a.png",
    ),
    "target by hard link": (
        lambda ward: os.link(ward / "a.png", ward.parent / "hard"),
        "ward --output hard",
    ),
    "partial is a link": (
        lambda ward: (ward / "x.csv.partial").symlink_to(ward / "a.png"),
        "ward/a.png --output ward/x.csv",
    ),
    "evidence is an input": (
        lambda ward: (ward / "b.png").rename(ward / "a.evidence.npy"),
        "ward --heatmaps ward",
    ),
    "heatmap by a linked folder": (
        lambda ward: (
            (ward / "b.png").rename(ward / "a.heatmap.png"),
            (ward.parent / "maps").symlink_to(ward),
        ),
        "ward --heatmaps maps",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_result_never_takes_the_place_of_an_input(ward, attack, capsys):
    prepare, line = ATTACKS[attack]
    prepare(ward)
    words = [word if word[0] == "-" else ward.parent / word for word in line.split()]
    words += ["--format", "jsonl"]
    before = contents(ward)
    for more in ([], ["--resume"]) if "--output" in words else ([],):
        assert predict(*words, *more) == 1
        assert contents(ward) == before, "nothing is written before all targets were looked at"
        shown = capsys.readouterr()
        assert shown.out == "" and len(shown.err.splitlines()) == 1 and shown.err.endswith(".\n")


# The first five are images; one of them differs from another of the ward by case alone.
NAMES = [b"caf\xe9.png", "é.png".encode(), b"n" * 251 + b".png", b"\xff" * 255, b"A.jpg",
         "肺炎.png".encode(), b"two\nlines.png", b"red\x1b[31m.png", "\u202egnp.x".encode(),
         b";=1+1.png", b"-rf.png"]  # fmt: skip
EACH_FORMAT = """
import sys
from pneumo.cli import main
ward, out = sys.argv[1:]
words = ["predict", ward, "--model", "cnn", "--format"]
main([*words, "jsonl", "--output", f"{out}/jsonl", "--heatmaps", f"{out}/maps"])
sys.exit(main([*words, "table"]))
"""


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode here")
def test_every_image_has_its_record_whatever_its_name_and_the_locale(ward, tmp_path):
    for number, name in enumerate(NAMES):
        path = Path(os.fsdecode(os.fsencode(ward) + b"/" + name))
        path.write_bytes(IMAGE if number < 5 else b"no image")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG"))}
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", EACH_FORMAT, ward, tmp_path], cwd=ROOT,
        capture_output=True, env=environment | ascii_only,
    )  # fmt: skip
    assert done.returncode == 1 and b"Traceback" not in done.stderr
    assert len({path.name.casefold() for path in (tmp_path / "maps").iterdir()}) == 2 * 8
    count = len(NAMES) + 3
    assert len(lines(tmp_path / "jsonl")) == count
    table = done.stdout.decode().splitlines()
    assert len(table) == count + 1 and all(map(str.isprintable, table))
    assert any("caf\\xe9.png" in line for line in table)


@pytest.fixture
def disk():
    """A disk that takes files of so many bytes and no more."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_costs_heatmaps_and_no_record(ward, tmp_path, capsys, disk):
    disk(2000)
    assert predict(ward, "--format", "jsonl", "--heatmaps", tmp_path / "maps") == 1
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [r["status"] for r in found] == ["ok"] * 3
    assert all(r["heatmap"] is None and "heatmap-not-written" in r["warnings"] for r in found)
    assert not list((tmp_path / "maps").iterdir())


def test_a_run_that_a_full_disk_stopped_is_continued(ward, tmp_path, capsys, disk):
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert predict(ward, "--format", "csv", "--output", whole) == 0
    disk(whole.stat().st_size * 3 // 4)
    assert predict(ward, "--format", "csv", "--output", out) == 1
    assert "--resume" in capsys.readouterr().err
    assert not out.exists(), "a file under its own name is complete"
    disk(-1)
    assert predict(ward, "--format", "csv", "--output", out, "--resume") == 0
    assert out.read_text().count(".png") == 3


@pytest.mark.parametrize(("form", "cut"), [("jsonl", 40), ("csv", 1), ("csv", 200)])
def test_resume_keeps_what_is_there_and_analyzes_the_rest(ward, tmp_path, form, cut, capsys):
    (ward / "bad;=1,\r\nx.png").write_bytes(b"no image")
    words = (ward, "--format", form, "--output", tmp_path / "out", "--resume")
    assert predict(*words) == 1  # nothing is there yet
    whole = (tmp_path / "out").read_bytes()
    (tmp_path / "out").unlink()
    (tmp_path / "out.partial").write_bytes(whole[:-cut])
    (ward / "d.png").write_bytes(IMAGE)  # a new one has come
    assert predict(*words) == 1, "an earlier record of an unread image counts"
    kept = (tmp_path / "out").read_bytes()
    assert kept.startswith(whole[: len(whole) // 2])
    assert [kept.count(b"%c.png" % name) for name in b"abcdx"] == [1] * 5
    assert predict(*words) == 1 and (tmp_path / "out").read_bytes() == kept


def test_a_resumed_run_gives_no_heatmap_an_earlier_name(ward, tmp_path):
    (ward / "a.png").rename(ward / "IM-1.png")
    words = ("--format", "jsonl", "--output", tmp_path / "out", "--heatmaps", tmp_path / "maps")
    predict(ward, *words)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "IM-1.png").write_bytes(IMAGE)
    predict(ward, tmp_path / "more", *words, "--resume")
    assert len({record["heatmap"] for record in lines(tmp_path / "out")}) == 4


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
def test_killed_at_any_moment_it_goes_on_without_repeating_or_losing_a_record(ward, tmp_path):
    for number in range(40):
        (ward / f"{number}.png").write_bytes(IMAGE if number % 10 else b"no image")
    out, errors = tmp_path / "out", tmp_path / "errors"
    words = ["predict", ward, "--model", "cnn", "--format", "jsonl", "--resume"]
    words += ["--output", out, "--errors", errors]
    for records in (3, 11):
        process = subprocess.Popen([sys.executable, "-m", "pneumo", *words], cwd=ROOT)
        while process.poll() is None and len(lines_of(tmp_path / "out.partial")) < records:
            time.sleep(0.01)
        process.kill()
        process.wait()
    assert run(*words) == 1
    found = {path: [Path(r["path"]).name for r in lines(path)] for path in (out, errors)}
    assert sorted(found[out] + found[errors]) == sorted(contents(ward))
    assert sorted(found[errors]) == ["0.png", "10.png", "20.png", "30.png"]
    assert {record["status"] for record in lines(out)} == {"ok"}


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines() if path.exists() else []


def test_results_of_another_model_are_not_continued(ward, tmp_path, capsys):
    out = tmp_path / "out.csv"
    predict(ward, "--format", "csv", "--output", out)
    kept = out.read_bytes()
    for more in (["--model", "resnet18"], ["--threshold", "0.9"], ["--heatmaps", tmp_path / "m"]):
        assert predict(ward, *more, "--format", "csv", "--output", out, "--resume") == 1
        assert out.read_bytes() == kept
        assert capsys.readouterr().err.startswith("pneumo predict: ")


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "\u00a0=1", "\ufeff=1",
            "=HYPERLINK(\"http://evil.example\",\"x\")", "=cmd|' /C calc'!A0", "\tx", " \t @x", "-",
            "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)", "\u3000\uff1d1", "\ufe661",
            "\x01=1", "\u200b=1")  # fmt: skip
HARMLESS = ("", "film.png", "ward/=1.png", "1-2", "x=1", "'=1", " a", "NORMAL", "\u0394", "a\tb",
            "\uff21", "\u3000a")  # fmt: skip


def test_formulas_are_made_text_and_all_else_is_left():
    assert [plain(text) for text in FORMULAS] == [f"'{text}" for text in FORMULAS]
    for value in (*HARMLESS, -0.5, -3, 0.25, None, True):
        assert plain(value) is value
