"""The gallery: whose images are shown, in which order, and what when folders are odd."""

import json

import cv2
import numpy as np
import pytest

from pneumo.ui import examples as module
from pneumo.ui.examples import example_folders, find_examples, gallery


def draw(path, grey=90):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.full((40, 40), grey, np.uint8)
    picture[10:30, 10:30] = 200
    cv2.imwrite(str(path), picture)


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
    draw(bundled / "a.png")
    draw(bundled / "downloaded" / "b.png")
    write_cases(bundled, [{"file": "a.png", "title": "A", "truth": "NORMAL", "synthetic": True}])
    real = {"file": "b.png", "title": "B", "truth": "PNEUMONIA", "attribution": "Someone"}
    write_cases(bundled / "downloaded", [real])
    found = find_examples(example_folders())
    assert [example.title for example in found] == ["B", "A"]
    assert [example.kind for example in found] == ["real", "synthetic"]
    assert gallery(found)[0]["attribution"] == "Someone"


def test_a_local_folder_needs_no_cases_and_replaces_the_others(bundled, tmp_path, monkeypatch):
    draw(bundled / "a.png")
    write_cases(bundled, [{"file": "a.png"}])
    own = tmp_path / "own"
    draw(own / "chest" / "one.png")
    (own / "notes.txt").write_text("not an image")
    shown = gallery(find_examples(example_folders(own)))
    assert [example["title"] for example in shown] == ["one"]
    monkeypatch.setenv("PNEUMO_EXAMPLES", str(own))
    assert example_folders() == (own,)
