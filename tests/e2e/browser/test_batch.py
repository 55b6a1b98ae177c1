"""Many radiographs: bad ones among good ones, a zip, files made of it, a way back."""

import csv
import io
import zipfile

import pytest

from pneumo.models.checkpoint import available_models
from pneumo.reading.reader import Reader
from tests.e2e.browser.hands import choose, decided, settled


@pytest.fixture
def many(page):
    page.get_by_role("tab", name="Many radiographs").click()
    page.wait_for_selector(".pn-batch-controls input")
    return page


def put(page, files: dict[str, bytes]) -> None:
    page.set_input_files(
        ".pn-batch .pn-file",
        [{"name": name, "mimeType": "", "buffer": content} for name, content in files.items()],
    )


def analyzed(page, count: int) -> None:
    page.wait_for_selector(f".pn-batch[data-running=no][data-rows='{count}']")


def saved(page, what: str) -> str:
    with page.expect_download() as download:
        page.click(f"[data-do={what}]")
    return download.value.path().read_text()


def rows(page) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(saved(page, "csv"))))


def texts(page, selector: str) -> list[str]:
    return page.eval_on_selector_all(selector, "all => all.map((one) => one.textContent)")


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, content) in enumerate(files.items()):
            archive.writestr(name, content, zipfile.ZIP_STORED if number else None)
    return packed.getvalue()


@pytest.fixture
def pair(images) -> list[bytes]:
    """Two images."""
    return [(images / f"image-{number}.png").read_bytes() for number in range(2)]


def test_images_and_a_bad_one_become_a_table_a_csv_and_a_summary(many, pair):
    put(many, {"=a.png": pair[0], "bad.png": b"no image", "c.png": pair[1]})
    analyzed(many, 3)
    table = rows(many)
    assert [row["file"] for row in table] == ["'=a.png", "bad.png", "c.png"]
    assert [row["status"] for row in table] == ["ok", "error", "ok"]
    assert table[1]["reason"] and not table[1]["probability"]
    first = table[0]["model"]
    expected = Reader(first).predict(pair[0]).probability
    assert float(table[0]["probability"]) == pytest.approx(expected, abs=1e-5)
    summary = saved(many, "summary")
    assert "medical device" in summary and "c.png" in summary and "<script" not in summary
    many.get_by_role("button", name="Probability").click()
    assert not texts(many, ".pn-table tbody .pn-number")[-1]

    # Another policy sends no image again.
    sent: list[int] = []
    many.on("request", lambda one: sent.append(len(one.post_data_buffer or b"")))
    decided(many, lambda: choose(many, "batch-policy", "custom"))
    for name, value in (("rule_out", "0"), ("rule_in", "100")):
        field = f".pn-batch input[name={name}]"
        decided(
            many,
            lambda field=field, value=value: (
                many.fill(field, value) or many.keyboard.press("Enter")
            ),
        )
    assert "indeterminate 2" in many.inner_text(".pn-counts")
    assert all(0 < size < 2000 for size in sent), "a form with a file has no body here"
    labels = many.eval_on_selector_all(
        ".pn-verdict [data-label]", "all => all.map((one) => one.dataset.label)"
    )
    assert labels == ["INDETERMINATE"] * 2

    # Another model does; all models stand in one row; a row opens in the viewer.
    choose(many, "batch-model", "all")
    many.wait_for_function(
        "() => document.querySelectorAll('.pn-verdict [data-label]').length == 4"
    )
    analyzed(many, 3)
    assert {row["model"] for row in rows(many)} == set(available_models())
    many.locator(".pn-name", has_text="c.png").click()
    settled(many)
    assert "c.png" in many.inner_text(".pn-image figcaption")
    for result, model in zip(
        many.locator("[data-probability]").all(), available_models(), strict=True
    ):
        expected = Reader(model).predict(pair[1]).probability
        assert float(result.get_attribute("data-probability")) == pytest.approx(expected, abs=1e-5)
    # The others of the table are a key away, in its order; also one that cannot be read.
    order = texts(many, ".pn-name")
    at = order.index("c.png")
    assert many.inner_text(".pn-walk span") == f"{at + 1} of 3"
    while at:
        many.keyboard.press("PageUp")
        at -= 1
        many.get_by_text(f"{at + 1} of 3").wait_for()
        settled(many, "error" if order[at] == "bad.png" else "ready")
    assert many.is_disabled(".pn-walk button")


def test_a_zip_is_read_and_one_without_images_is_a_sentence(many, pair):
    files = {"ward/one.png": pair[0], "ward/two.png": pair[1], "__MACOSX/._one.png": b"x"}
    put(many, {"images.zip": zipped(files)})
    analyzed(many, 2)
    assert texts(many, ".pn-name") == ["ward/one.png", "ward/two.png"]
    put(many, {"images.zip": b"PK no zip at all"})
    many.wait_for_selector(".pn-trouble:not(:empty)")
    assert many.inner_text(".pn-trouble").endswith(".")


def test_labelled_images_are_measured_and_the_wrong_ones_are_shown(many, pair):
    decided(many, lambda: choose(many, "batch-policy", "custom"))
    for name in ("rule_out", "rule_in"):  # so that everything is called pneumonia
        many.locator(f".pn-batch input[name={name}]").fill("0")
        decided(many, lambda: many.keyboard.press("Enter"))
    files = {"set/NORMAL/a.png": pair[0], "set/PNEUMONIA/b.png": pair[1], "c.png": pair[1]}
    put(many, {"set.zip": zipped(files)})
    analyzed(many, 3)
    many.wait_for_selector(".pn-confusion")
    assert texts(many, ".pn-confusion td") == ["1", "0", "0", "1", "0", "0"]
    rates = many.inner_text(".pn-measured")
    assert "0.50 (0.09–0.91)" in rates and "AUC" in rates
    assert [row["truth"] for row in rows(many)] == ["NORMAL", "PNEUMONIA", ""]
    many.check("input[name=pn-batch-show][value=wrong]", force=True)
    assert many.locator(".pn-name:visible").all_inner_texts() == ["set/NORMAL/a.png"]
    many.check("input[name=pn-batch-show][value=all]", force=True)

    # A table adds truths, also later; one that cannot be used says why.
    with many.expect_response("**/component_server**"):
        put(
            many, {"labels.csv": b'\xef\xbb\xbffile;label\r\na.png;Pneumonia\r\n"c.png";normal\r\n'}
        )
    many.wait_for_function("() => document.querySelector('.pn-confusion').innerText.includes('2')")
    assert [row["truth"] for row in rows(many)] == ["PNEUMONIA", "PNEUMONIA", "NORMAL"]
    assert "confusion" in saved(many, "summary")
    for content in (b"file,label\nc.png,healthy\n", b"name,truth\n"):
        put(many, {"labels.csv": content})
        many.wait_for_selector(".pn-trouble:not(:empty)")
        assert "labels.csv" in many.inner_text(".pn-trouble")


def test_a_stopped_run_goes_on_where_it_stopped(many, pair):
    # All but two wait for us, so that however fast the app reads, there is something to stop.
    arrived, held = [], []

    def gate(route):
        arrived.append(route)
        if len(arrived) <= 2:
            route.continue_()
        else:
            held.append(route)

    many.route("**/component_server**", gate)
    put(many, {f"{number}.png": pair[0] for number in range(30)})
    many.locator("tr[data-status=ok]").nth(1).wait_for()
    many.click("[data-do=stop]")
    many.wait_for_selector(".pn-batch[data-running=no]")
    assert many.locator("tr[data-status=ok]").count() == 2
    assert "2 of 30" in many.inner_text(".pn-progress-text")

    for route in held:
        route.continue_()
    many.unroute("**/component_server**")
    many.click("[data-do=continue]")
    many.wait_for_selector(".pn-batch[data-running=no][data-left='0']")
    assert many.locator(".pn-table tbody tr[data-status=ok]").count() == 30


def test_a_run_that_broke_off_goes_on_when_the_app_answers_again(many, pair):
    many.route("**/component_server**", lambda route: route.abort())
    put(many, {f"{number}.png": pair[0] for number in range(5)})
    many.wait_for_selector(".pn-batch[data-running=no][data-left='5']")
    assert texts(many, "tr[data-status=error]") == []
    many.unroute("**/component_server**")
    many.click("[data-do=continue]")
    many.wait_for_selector(".pn-batch[data-running=no][data-left='0']")
    assert many.locator(".pn-table tbody tr[data-status=ok]").count() == 5
