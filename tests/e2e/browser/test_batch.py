"""Many radiographs: bad ones among good ones, a zip, sorting, files made of it, a way back."""

import csv
import io
import zipfile

import pytest

from pneumo.models.checkpoint import available_models
from pneumo.reading.reader import Reader
from tests.e2e.browser.hands import choose, decided, drop_all, probability, settled


@pytest.fixture
def many(page):
    page.get_by_role("tab", name="Many radiographs").click()
    page.wait_for_selector(".pn-batch-controls input")
    return page


def read_all(page, count: int) -> None:
    page.wait_for_selector(f".pn-batch[data-running=no][data-rows='{count}']")


def zipped(images, *names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, name in enumerate(names):
            archive.write(images / f"image-{number % 4}.png", name)
    return packed.getvalue()


def put(page, *files: tuple[str, bytes]) -> None:
    page.set_input_files(
        ".pn-batch .pn-file",
        [{"name": name, "mimeType": "", "buffer": content} for name, content in files],
    )


def test_images_and_a_bad_one_become_a_table_a_csv_and_a_summary(many, images):
    put(
        many,
        ("=a.png", (images / "image-0.png").read_bytes()),
        ("bad.png", b"no image"),
        ("c.png", (images / "image-1.png").read_bytes()),
    )
    read_all(many, 3)
    status = many.eval_on_selector_all(
        ".pn-table tbody tr", "rows => rows.map((row) => row.dataset.status)"
    )
    assert status == ["ok", "error", "ok"]
    with many.expect_download() as download:
        many.click("[data-do=csv]")
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert [row["file"] for row in rows] == ["'=a.png", "bad.png", "c.png"]
    assert rows[1]["status"] == "error" and rows[1]["reason"] and not rows[1]["probability"]
    expected = Reader(rows[0]["model"]).predict(images / "image-0.png")
    assert float(rows[0]["probability"]) == pytest.approx(expected.probability, abs=1e-5)
    with many.expect_download() as download:
        many.click("[data-do=summary]")
    summary = download.value.path().read_text()
    assert "research and teaching" in summary and "c.png" in summary and "<script" not in summary
    many.get_by_role("button", name="Probability").click()
    shown = many.eval_on_selector_all(
        ".pn-table tbody .pn-number", "all => all.map((one) => one.textContent)"
    )
    assert not shown[-1]


def test_a_zip_is_read_and_a_row_opens_in_the_viewer(many, images):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(images / "image-0.png", "ward/one.png")
        archive.write(images / "image-1.png", "ward/two.png", zipfile.ZIP_STORED)
        archive.writestr("__MACOSX/._one.png", b"x")
    put(many, ("images.zip", packed.getvalue()))
    read_all(many, 2)
    assert many.eval_on_selector_all(".pn-name", "all => all.map((one) => one.textContent)") == [
        "ward/one.png",
        "ward/two.png",
    ]
    many.click(".pn-table tbody tr:nth-child(2) .pn-thumb")
    settled(many)
    model = many.input_value("input[name=pn-model]:checked")
    expected = Reader(model).predict(images / "image-1.png").probability
    assert probability(many) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "content", [b"PK no zip at all", b"", pytest.param(b"PK\5\6" + bytes(18), id="nothing in it")]
)
def test_a_zip_without_images_is_one_sentence(many, content):
    put(many, ("images.zip", content))
    many.wait_for_selector(".pn-trouble:not(:empty)")
    assert many.inner_text(".pn-trouble").endswith(".")


def test_time_left_is_told_when_an_image_was_read_and_not_before(many, images):
    many.evaluate("""() => {
        const line = document.querySelector(".pn-batch .pn-progress-text");
        window.said = [];
        new MutationObserver(() => window.said.push(line.textContent))
            .observe(line, { childList: true });
    }""")
    content = (images / "image-0.png").read_bytes()
    for count in (2, 4):  # two images, and two more that have a pace of their own
        put(many, ("a.png", content), ("b.png", content))
        read_all(many, count)
    said = many.evaluate("window.said")
    assert said[0] == "0 of 2 done" and "2 of 4 done" in said
    assert not [words for words in said if "NaN" in words or "Infinity" in words]


def test_a_stopped_run_goes_on_where_it_stopped(many, images):
    content = (images / "image-0.png").read_bytes()
    put(many, *[(f"{number}.png", content) for number in range(20)])
    many.wait_for_selector(".pn-table tr:nth-child(3)[data-status=ok]")
    many.click("[data-do=stop]")
    many.wait_for_selector(".pn-batch[data-running=no]")
    done = many.locator(".pn-table tbody tr[data-status=ok]").count()
    assert 3 <= done < 20
    assert f"{done} of 20" in many.inner_text(".pn-progress-text")
    many.click("[data-do=continue]")
    many.wait_for_selector(".pn-batch[data-running=no][data-left='0']")
    assert many.locator(".pn-table tbody tr[data-status=ok]").count() == 20


def test_a_preset_decides_the_table_anew_and_sends_no_image(many, images):
    put(
        many,
        *[(f"{number}.png", (images / f"image-{number}.png").read_bytes()) for number in range(2)],
    )
    read_all(many, 2)
    sent = []
    many.on("request", lambda request: sent.append(len(request.post_data_buffer or b"")))
    decided(many, lambda: choose(many, "batch-policy", "custom"))
    for name, value in (("rule_out", "0"), ("rule_in", "100")):
        decided(
            many,
            lambda name=name, value=value: (
                many.fill(f".pn-batch input[name={name}]", value) or many.keyboard.press("Enter")
            ),
        )
    assert "indeterminate 2" in many.inner_text(".pn-counts")
    shown = many.eval_on_selector_all(
        ".pn-verdict [data-label]", "all => all.map((one) => one.dataset.label)"
    )
    assert shown == ["INDETERMINATE"] * 2 and max(sent) < 2000


def test_all_models_stand_in_one_row(many, images):
    choose(many, "batch-model", "all")
    put(many, ("a.png", (images / "image-1.png").read_bytes()))
    read_all(many, 1)
    assert many.locator(".pn-verdict [data-label]").count() == len(available_models())
    with many.expect_download() as download:
        many.click("[data-do=csv]")
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert [row["model"] for row in rows] == list(available_models())


@pytest.mark.parametrize("kind", ["several", "zip"])
def test_images_dropped_on_the_first_tab_go_to_the_table(page, images, kind):
    several = {
        "a.png": (images / "image-0.png").read_bytes(),
        "b.png": (images / "image-1.png").read_bytes(),
    }
    page.wait_for_selector(".pn-example")
    drop_all(page, several if kind == "several" else {"two.zip": zipped(images, "a.png", "b.png")})
    page.wait_for_selector(".pn-batch-controls input")
    read_all(page, 2)
    names = page.eval_on_selector_all(".pn-name", "all => all.map((one) => one.textContent)")
    assert names == ["a.png", "b.png"]


def test_another_model_fills_the_table_again_and_a_row_opens_with_it(many, images):
    put(
        many,
        ("a.png", (images / "image-0.png").read_bytes()),
        ("b.png", (images / "image-1.png").read_bytes()),
    )
    read_all(many, 2)
    choice = many.locator("input[name=pn-batch-model]:not(:checked)").first
    other = choice.get_attribute("value")
    choice.check(force=True)
    read_all(many, 2)
    with many.expect_download() as download:
        many.click("[data-do=csv]")
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    expected = [Reader(other).predict(images / f"image-{seed}.png").probability for seed in (0, 1)]
    assert [row["model"] for row in rows] == [other, other]
    assert [float(row["probability"]) for row in rows] == pytest.approx(expected, abs=1e-5)
    many.click(".pn-table tbody tr:nth-child(2) .pn-name")
    settled(many)
    assert many.input_value("input[name=pn-model]:checked") == other
    assert probability(many) == pytest.approx(expected[1], abs=1e-5)


def test_a_file_dropped_on_the_model_card_is_not_opened_by_the_browser(page, images):
    page.get_by_role("tab", name="Model card").click()
    page.wait_for_selector(".pn-card")
    image = {"a.png": (images / "image-0.png").read_bytes()}
    assert drop_all(page, image, ".pn-card"), "the browser would leave the app"


@pytest.mark.slow
def test_five_hundred_images_and_a_zip(many, images):
    content = (images / "image-0.png").read_bytes()
    several = [(f"{number:03}.png", content) for number in range(498)]
    put(many, *several, ("bad.png", b"no image"), ("two.zip", zipped(images, "x.png", "y.png")))
    many.wait_for_selector(".pn-batch[data-running=no][data-rows='500']", timeout=1_200_000)
    assert "first 500" in many.inner_text(".pn-trouble"), "the 501st was not taken"
    status = many.eval_on_selector_all(
        ".pn-table tbody tr", "rows => rows.map((row) => row.dataset.status)"
    )
    assert status.count("ok") == 499 and status[498] == "error"
