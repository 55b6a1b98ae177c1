"""The table of adult films: which films it names, and a sentence for each way it can be wrong."""

from __future__ import annotations

import pytest

from pneumo.training.adults import adult_films
from pneumo.training.dataset import DataError

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
