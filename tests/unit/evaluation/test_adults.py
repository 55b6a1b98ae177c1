"""External evaluation: rows by view are those of the predictions; a wrong table is a sentence."""

import pytest
from sklearn.metrics import roc_auc_score

from pneumo.data.dataset import DataError
from pneumo.evaluation.adults import adult_images, measure
from pneumo.evaluation.predictions import predict_all
from pneumo.models.checkpoint import load_checkpoint

pytestmark = pytest.mark.usefixtures("few_resamples")


def test_rows_are_those_of_the_predictions_by_view(adults, stand_ins):
    checkpoint = load_checkpoint("cnn", stand_ins)
    rows = measure(checkpoint, adults)
    assert [(row.group, row.n, row.positives, row.patients) for row in rows] == [
        ("all", 40, 20, 20),
        ("PA", 20, 10, 20),
        ("AP", 20, 10, 20),
    ]
    found = predict_all(checkpoint, adult_images(adults))
    assert rows[0].auc.value == roc_auc_score(found.labels, found.probabilities)
    pa = [sample.kind == "PA" for sample in found.table]
    assert rows[1].auc.value == roc_auc_score(found.labels[pa], found.probabilities[pa])
    assert rows[0].auc.low <= rows[0].auc.value <= rows[0].auc.high


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
