"""Downloads against a local stub: whole, cut off, killed, resumed, and told from wrong content."""

import json
import signal

import pytest

from tests.e2e.hub.downloading import (
    EXPECTED,
    TEST,
    TRAIN_0,
    TRAIN_1,
    VAL,
    download,
    films,
    only_whole_films,
    partial,
    partial_of,
    start,
    wait_for,
)


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
    wait_for(lambda: partial_of(tmp_path, half))
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
    wait_for(lambda: partial_of(tmp_path, half))
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
    wait_for(lambda: partial_of(tmp_path, 1000))
    running.kill()
    running.communicate(timeout=120)
    hub.hang.clear()
    hub.ranges = False
    code, _, err = download(hub.url, tmp_path)
    assert (code, films(tmp_path)) == (0, EXPECTED), err


def test_a_damaged_leftover_is_fetched_afresh(hub, tmp_path):
    hub.hang[TRAIN_0] = 1000
    running = start(hub.url, tmp_path)
    wait_for(lambda: partial_of(tmp_path, 1000))
    running.kill()
    running.communicate(timeout=120)
    hub.hang.clear()
    partial_of(tmp_path, 1000).write_bytes(bytes(1000))
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
