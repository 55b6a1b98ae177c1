"""The report: one page, the numbers of the reading, byte-stable, nothing about anyone."""

import base64

import cv2
import numpy as np
import pytest

from pneumo.imaging.phantom import phantom
from pneumo.models.checkpoint import available_models
from pneumo.reading.decision import predictive_values
from pneumo.reporting import report as report_page
from pneumo.reporting.report import compose
from pneumo.ui.cards import percent_words
from pneumo.ui.desk import Desk
from pneumo.ui.report_request import part_of, report

pytestmark = pytest.mark.usefixtures("networks")


@pytest.fixture(scope="module")
def desk():
    return Desk()


@pytest.fixture(scope="module")
def film(desk):
    return desk.take_in(cv2.imencode(".png", phantom(1, 256, "right")[0])[1].tobytes())


def wish(film, **fields) -> dict:
    return {"models": ",".join(available_models()), "token": film.token, "guard": "off", **fields}


def test_the_same_reading_gives_the_same_bytes(desk, film):
    parts = [part_of(desk, film, name, "balanced", 0.5, False) for name in available_models()]
    pages = [
        compose(film.radiograph.pixels, parts, "2026-01-01 12:00 UTC", "It costs $5 and $6_a^.")
        for _ in range(2)
    ]
    assert pages[0] == pages[1]
    assert pages[0]["pdf"].startswith(b"%PDF") and pages[0]["pdf"].count(b"/Type /Page ") == 1
    picture = cv2.imdecode(np.frombuffer(pages[0]["png"], np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[0] > picture.shape[1] > 1000


def test_another_point_judges_anew_and_runs_no_network(desk, film):
    name = available_models()[0]
    reading = desk.read(film, name, guard=False)
    part = part_of(desk, film, name, "own", 0.0, False)
    assert part.reading.label == reading.with_threshold(0.0).label != "NORMAL"
    assert part.reading.operating_point == "own"
    assert part.reading.probability == reading.probability
    assert part.point["sensitivity"]["value"] == pytest.approx(1.0)


def test_a_request_is_answered_with_both_kinds(desk, film):
    reply = report(desk, wish(film, comment="Looks well.", point="own", threshold="0.4"))
    assert base64.b64decode(reply["pdf"]).startswith(b"%PDF")
    assert base64.b64decode(reply["png"]).startswith(b"\x89PNG")


@pytest.mark.parametrize("fields", [{"token": "gone"}, {"models": "nobody"},
                                    {"point": "own", "threshold": "7"}, {"opacity": "x"}])
def test_what_cannot_be_printed_is_a_sentence(desk, film, fields):
    assert report(desk, wish(film) | fields)["error"].endswith(".")


@pytest.fixture
def printed(monkeypatch) -> list[tuple[float, str]]:
    """Height on the page and words of everything that is printed."""
    words, text = [], report_page.Figure.text

    def note(figure, x, y, says, **looks):
        words.append((y, says))
        return text(figure, x, y, says, **looks)

    monkeypatch.setattr(report_page.Figure, "text", note)
    return words


@pytest.mark.parametrize(("value", "says"), [
    (0.5, "50.0 %"), (0.99961, "> 99.9 %"), (1.0, "100.0 %"), (0.0004, "< 0.1 %"), (0.0, "0.0 %"),
    (None, "–"),
])
def test_a_probability_is_never_printed_as_certainty(value, says):
    assert percent_words(value) == says


def test_the_page_prints_what_the_point_means_on_the_ward(desk, film, printed):
    name = available_models()[0]
    wanted = wish(film, models=name, point="high_sensitivity", prevalence="0.2")
    assert "pdf" in report(desk, wanted)
    part = part_of(desk, film, name, "high_sensitivity", 0.5, False)
    says = [words for _, words in printed]
    rates = [part.point[rate]["value"] for rate in ("sensitivity", "specificity")]
    ppv, npv = (percent_words(value, 0) for value in predictive_values(*rates, 0.2))
    assert f"{ppv} · {npv}" in says and "PPV · NPV, 20 of 100 ill" in says
    assert percent_words(part.reading.probability) in says
    assert percent_words(part.reading.confidence) in says


@pytest.mark.parametrize("comment", ["word " * 300, "a line\n" * 200])
def test_a_long_comment_stays_on_the_page(desk, film, printed, comment):
    parts = [part_of(desk, film, name, "balanced", 0.5, False) for name in available_models()]
    compose(film.radiograph.pixels, parts, "2026-01-01 12:00 UTC", comment)
    heights = [height for height, words in printed if words[:6] in ("a line", "word w", "…")]
    assert heights and min(heights) > 0.06
    cut = any(words == "…" for _, words in printed)
    assert cut == ("line" in comment), "what is left out is said to be"
