"""The table of adult films: which films it names, and a sentence for each way it can be wrong."""

from __future__ import annotations

import numpy as np
import pytest

from pneumo.data.adults import adult_films, half, with_adults
from pneumo.data.dataset import FIT, HELD_OUT, DataError
from pneumo.data.memory import Films
from pneumo.models.preprocess import Preprocessing

HEAD = "file,label,nih_labels,patient,age,sex,view\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / "images" / name).write_bytes(b"x")
    return tmp_path


def test_films_of_the_table(folder):
    (folder / "labels.csv").write_text(
        HEAD + "a.jpg,NORMAL,No Finding,7,36,F,PA\nb.jpg,PNEUMONIA,Pneumonia,8,40,M,AP\n"
    )
    films = adult_films(folder)
    assert [(f.path.name, f.label, f.group, f.kind) for f in films] == [
        ("a.jpg", 0, "7", "PA"), ("b.jpg", 1, "8", "AP"),
    ]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (None, "There is no table"),
        ("", "names no film"),
        (HEAD, "names no film"),
        (HEAD + "a.jpg,Effusion,x,7,36,F,PA\n", "line 2: .* NORMAL or PNEUMONIA"),
        (HEAD + "a.jpg,NORMAL\n", "line 2"),
        (HEAD + "c.jpg,NORMAL,x,7,36,F,PA\n", "which is not there"),
        ("file,label\na.jpg,NORMAL\n", "patient, view are needed"),
    ],
)
def test_a_wrong_table_is_a_sentence(folder, table, said):
    if table is not None:
        (folder / "labels.csv").write_text(table)
    with pytest.raises(DataError, match=said):
        adult_films(folder)


def test_a_name_cannot_lead_out_of_the_folder(folder):
    (folder / "secret.jpg").write_bytes(b"x")
    (folder / "labels.csv").write_text(HEAD + "../secret.jpg,NORMAL,x,7,36,F,PA\n")
    with pytest.raises(DataError, match="not there"):
        adult_films(folder)


def test_no_patient_is_in_both_halves(adults):
    films = adult_films(adults)
    fit, held_out = half(films, FIT), half(films, HELD_OUT)
    assert len(fit) == len(held_out) == 20
    assert not {f.group for f in fit} & {f.group for f in held_out}
    assert {*fit, *held_out} == {*films}


def test_a_patient_that_its_file_does_not_name_is_a_sentence(adults):
    file = adults / "labels.csv"
    rows = [line.split(",") for line in file.read_text().splitlines()]
    file.write_text("\n".join(",".join([*row[:2], *(row[2:3] if i == 0 else "7"), row[3]])
                              for i, row in enumerate(rows)))
    with pytest.raises(DataError, match="PATIENT_NUMBER"):
        half(adult_films(adults), FIT)


def test_adults_stand_behind_the_children_in_groups_of_view_and_label(adults):
    children = Films(np.zeros((6, 64, 64), np.uint8), np.array([0, 1] * 3), {})
    grown = half(adult_films(adults), FIT)
    both = with_adults(children, grown, Preprocessing(64))
    assert both.squares.shape == (26, 64, 64) and len(both.labels) == 26
    assert set(both.second) == set(range(6, 26))
    for i, group in both.second.items():
        film = grown[i - 6]
        assert group == f"{film.kind} {('NORMAL', 'PNEUMONIA')[both.labels[i]]}"
    with pytest.raises(DataError, match="too few"):
        with_adults(children, half(adult_films(adults)[:6], FIT), Preprocessing(64))
    with pytest.raises(DataError, match="of every view"):
        with_adults(children, [f for f in grown if f.label or f.kind == "PA"], Preprocessing(64))
