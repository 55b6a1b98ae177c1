"""The gallery: whose images are shown, in which order, and what when folders are odd."""

import json

import cv2
import pytest

from pneumo.ui import examples as module
from pneumo.ui.examples import example_folders, find_examples, gallery
from tests.radiographs import synthetic


def write_cases(folder, cases):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cases.json").write_text(json.dumps(cases))


@pytest.fixture
def bundled(tmp_path, monkeypatch):
    folder = tmp_path / "examples"
    monkeypatch.setattr(module, "BUNDLED", folder)
    monkeypatch.delenv("PNEUMO_EXAMPLES", raising=False)
    folder.mkdir()
    return folder


def test_downloaded_images_come_first(bundled):
    write_cases(bundled, [{"file": "a.png", "title": "A", "truth": "NORMAL", "synthetic": True}])
    real = {"file": "b.png", "title": "B", "truth": "PNEUMONIA", "attribution": "Someone"}
    write_cases(bundled / "downloaded", [real])
    for path in (bundled / "a.png", bundled / "downloaded" / "b.png"):
        cv2.imwrite(str(path), synthetic(0, 64))
    found = find_examples(example_folders())
    assert [example.title for example in found] == ["B", "A"]
    assert [example.kind for example in found] == ["real", "synthetic"]
    assert gallery(found)[0]["attribution"] == "Someone"


def test_a_local_folder_needs_no_cases_and_replaces_the_others(bundled, tmp_path, monkeypatch):
    write_cases(bundled, [{"file": "a.png"}])
    own = tmp_path / "own"
    (own / "chest").mkdir(parents=True)
    for path in (bundled / "a.png", own / "chest" / "one.png"):
        cv2.imwrite(str(path), synthetic(0, 64))
    (own / "notes.txt").write_text("not an image")
    shown = gallery(find_examples(example_folders(own)))
    assert [example["title"] for example in shown] == ["one"]
    monkeypatch.setenv("PNEUMO_EXAMPLES", str(own))
    assert example_folders() == (own,)
