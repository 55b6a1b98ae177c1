"""Many films: bad ones among good ones, a zip, sorting, files made of it, and the way back."""

import csv
import io
import zipfile

import pytest

from pneumo.models.reader import Reader
from tests.browser.hands import probability, settled


@pytest.fixture
def many(page):
    page.get_by_role("tab", name="Many films").click()
    page.wait_for_selector(".pn-many .pn-model input")
    return page


def read_all(page, count: int) -> None:
    page.wait_for_selector(f".pn-many[data-running=no][data-rows='{count}']")


def put(page, *files: tuple[str, bytes]) -> None:
    page.set_input_files(".pn-many .pn-file", [
        {"name": name, "mimeType": "", "buffer": content} for name, content in files])


def test_films_and_a_bad_one_become_a_table_a_csv_and_a_summary(many, films):
    put(many, ("=a.png", (films / "film-0.png").read_bytes()), ("bad.png", b"no film"),
        ("c.png", (films / "film-1.png").read_bytes()))
    read_all(many, 3)
    status = many.eval_on_selector_all(
        ".pn-table tbody tr", "rows => rows.map((row) => row.dataset.status)")
    assert status == ["ok", "error", "ok"]
    with many.expect_download() as download:
        many.click("[data-do=csv]")
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert [row["file"] for row in rows] == ["'=a.png", "bad.png", "c.png"]
    assert rows[1]["status"] == "error" and rows[1]["reason"] and not rows[1]["probability"]
    expected = Reader(rows[0]["model"]).read(films / "film-0.png")
    assert float(rows[0]["probability"]) == pytest.approx(expected.probability, abs=1e-5)
    with many.expect_download() as download:
        many.click("[data-do=summary]")
    summary = download.value.path().read_text()
    assert "research and teaching" in summary and "c.png" in summary and "<script" not in summary
    many.get_by_role("button", name="Probability").click()
    shown = many.eval_on_selector_all(
        ".pn-table tbody .pn-number", "all => all.map((one) => one.textContent)")
    assert shown[-1] == "–"


def test_a_zip_is_read_and_a_row_opens_in_the_viewer(many, films):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(films / "film-0.png", "ward/one.png")
        archive.write(films / "film-1.png", "ward/two.png", zipfile.ZIP_STORED)
        archive.writestr("__MACOSX/._one.png", b"x")
    put(many, ("films.zip", packed.getvalue()))
    read_all(many, 2)
    assert many.eval_on_selector_all(
        ".pn-name", "all => all.map((one) => one.textContent)") == ["ward/one.png", "ward/two.png"]
    many.click(".pn-table tbody tr:nth-child(2) .pn-thumb")
    settled(many)
    model = many.input_value("input[name=pn-model]:checked")
    expected = Reader(model).read(films / "film-1.png").probability
    assert probability(many) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("content", [b"PK no zip at all", b""])
def test_a_broken_zip_is_one_sentence(many, content):
    put(many, ("films.zip", content))
    many.wait_for_function("() => document.querySelector('.pn-trouble').textContent")
    assert many.inner_text(".pn-trouble").endswith(".")


def test_stop_keeps_what_is_done(many, films):
    content = (films / "film-0.png").read_bytes()
    put(many, *[(f"{number}.png", content) for number in range(60)])
    many.wait_for_selector(".pn-table tr[data-status=ok]")
    many.click("[data-do=stop]")
    kept = int(many.get_attribute(".pn-many", "data-running") == "no") and len(
        many.query_selector_all(".pn-table tbody tr"))
    assert 1 <= kept <= 60
    assert not many.query_selector(".pn-table tr[data-status=waiting]")
