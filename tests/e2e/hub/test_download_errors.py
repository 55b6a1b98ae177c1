"""Downloads that cannot be: refused, unreachable, hostile, no room; each with a sentence."""

import pytest

from tests.e2e.hub.downloading import (
    EXPECTED,
    ROWS,
    TEST,
    TRAIN_0,
    download,
    films,
    only_whole_films,
    partial,
    start,
    wait_for,
)
from tests.e2e.hub.stub import parquet, picture


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
