"""External evaluation: a wrong table is a sentence."""

import pytest

from pneumo.data.dataset import DataError
from pneumo.evaluation.adults import adult_images


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "no table"),
        ("file,label,patient,view\n", "names no radiograph"),
        ("file,label,patient,view\n1.png,ILL,1,PA\n", "line 2"),
        ("file,label,patient,view\ngone.png,NORMAL,1,PA\n", "not there"),
    ],
)
def test_a_wrong_table_is_a_sentence(text, says, tmp_path):
    if text is not None:
        (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(DataError, match=says):
        adult_images(tmp_path)
