"""The third tab's server side: sets as the page needs them, and experiments on a radiograph."""

import cv2
import pytest

from pneumo.models.checkpoint import available_models
from pneumo.ui.examples import BUNDLED, find_examples
from pneumo.ui.experiment import compare, vary
from pneumo.ui.teach import described, set_folders
from tests.radiographs import synthetic


@pytest.fixture(scope="module")
def cases():
    return find_examples([BUNDLED / "teaching"])


def test_a_local_folder_comes_with_its_lists_and_numbers_of_its_own(tmp_path):
    (tmp_path / "ward").mkdir()
    cv2.imwrite(str(tmp_path / "ward" / "one.png"), synthetic(0, 64))
    (tmp_path / "truth.csv").write_text("file,label\nward/one.png,NORMAL\n")
    folders = set_folders(tmp_path)
    sets = {name: find_examples([folder]) for name, folder in folders.items()}
    bundled, _, local = described(sets, folders)
    assert len(bundled["cases"]) == 24 and bundled["lists"] == []
    assert all((one["truth"] == "PNEUMONIA") == bool(one["place"]) for one in bundled["cases"])
    assert [one["file"] for one in local["cases"]] == ["truth.csv", "ward/one.png"]
    assert [one["name"] for one in local["lists"]] == ["truth.csv"]
    numbers = [one["id"] for each in (bundled, local) for one in each["cases"]]
    assert len(set(numbers)) == len(numbers)


def asked(store, cases, changes, call=vary, **fields):
    fields = {"models": available_models()[0], "check": "off", "pictures": "no", **fields}
    return call(store, cases, {"example": "1", "changes": changes, **fields})


def test_every_change_moves_the_probability_and_none_breaks_it(store, cases):
    rest = asked(store, cases, {})
    before, token = rest["results"][0]["probability"], rest["base"]
    changes = [
        {"blur": 3}, {"sharpen": 5}, {"jpeg": 1}, {"contrast": 0.2}, {"rotate": 45},
        {"mirror": True}, {"marker": True}, {"covers": [[0.3, 0.5], [0.7, 0.5]]},
        {"opacity": [0.3, 0.5], "size": 0.2, "density": 1}, {"swap": 0, "left": True},
    ]  # fmt: skip
    for one in changes:
        reply = asked(store, cases, one, token=token, example="")
        moved = abs(reply["results"][0]["probability"] - before) > 1e-6
        # Both hemithoraces are read alike, so mirroring moves nothing.
        assert reply["status"] == "ok" and moved == ("mirror" not in one), one
        assert bool(reply["truth"]) == ("opacity" in one)
    odd = {"blur": "much", "jpeg": -7, "covers": [3, [1]], "opacity": {}, "mirror": 1}
    assert asked(store, cases, odd)["status"] == "ok"
    assert asked(store, cases, {"swap": 99})["status"] == "error"


def test_the_hottest_region_is_compared_with_random_ones(store, cases):
    number = next(i for i, case in enumerate(cases) if case.place and not case.hard)
    reply = asked(store, cases, {"cover": 0.15}, compare, example=str(number))
    assert len(reply["rows"]) == 1 and reply["rows"][0]["verdict"].endswith(".")
