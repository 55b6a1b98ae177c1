"""A lesson: nothing is told before the student commits, and the counts at the end are right."""

from __future__ import annotations

import csv
import io

import pytest

from tests.e2e.browser.hands import drawn_again
from tests.e2e.browser.test_batch import zipped

ROUND = "() => JSON.parse(localStorage.getItem('pneumo-teach'))"
OTHER = {"NORMAL": "PNEUMONIA", "PNEUMONIA": "NORMAL"}
KEYS = {"NORMAL": "n", "PNEUMONIA": "p", "UNSURE": "u"}


@pytest.fixture
def lesson(page):
    page.get_by_role("tab", name="Teach").click()
    page.wait_for_selector(".pn-lesson-line select")
    return page


def step(page, name: str, number: int | None = None) -> None:
    page.wait_for_selector(f".pn-teach[data-step={name}]:not([aria-busy])")
    if number is not None:
        page.wait_for_selector(
            f".pn-teach .pn-image figcaption:text-matches('^Radiograph {number} ')"
        )


def saved(page, what: str) -> list[dict[str, str]]:
    with page.expect_download() as download:
        page.click(f".pn-outcome [data-do={what}]")
    return list(csv.DictReader(io.StringIO(download.value.path().read_text())))


def cells(page, table: str, row: str) -> list[str]:
    region = page.get_by_role("region", name=table)
    return region.locator(f"tr:has(th:text-is('{row}')) td").all_inner_texts()


def test_a_round_by_keys_alone_with_a_reload_in_the_middle(lesson):
    lesson.keyboard.press("Enter")
    step(lesson, "ask", 1)
    count = len(lesson.evaluate(ROUND)["cases"])
    truths = [one["truth"] for one in lesson.evaluate(ROUND)["cases"]]
    assert count == 10 and truths.count("NORMAL") == 6
    first = [truths[0], OTHER[truths[1]], "UNSURE", *truths[3:]]
    final = [truths[0], truths[1], "UNSURE", OTHER[truths[3]], *truths[4:]]
    for number, truth in enumerate(truths):
        step(lesson, "ask", number + 1)
        # Nothing tells before the student has said something.
        assert lesson.locator(".pn-teach .pn-map").count() == 0
        assert lesson.locator(".pn-task :is(.pn-result, .pn-label)").count() == 0
        assert lesson.locator(".pn-task .pn-go").is_disabled()
        lesson.keyboard.press(KEYS[first[number]])
        if first[number] != "UNSURE":
            lesson.keyboard.press("4")
        lesson.keyboard.press("ArrowRight")
        if number == 2:
            lesson.reload()
            lesson.wait_for_selector(".pn-teach")
            step(lesson, "ask", 3)
            assert lesson.locator("input[name=pn-teach-answer][value=UNSURE]").is_checked()
        lesson.keyboard.press("Enter")
        step(lesson, "advice")
        assert lesson.locator(".pn-teach .pn-map").count() == 2
        assert lesson.locator(".pn-task [data-truth]").count() == 0
        if final[number] != first[number]:
            lesson.keyboard.press(KEYS[final[number]])
        lesson.keyboard.press("Enter")
        step(lesson, "truth")
        assert lesson.get_attribute(".pn-task [data-truth]", "data-truth") == truth
        assert 1 <= lesson.locator(".pn-points li").count() <= 2
        lesson.keyboard.press("Enter")
    step(lesson, "end")

    scores = "You and the models"
    assert cells(lesson, scores, "Accuracy")[:2] == ["8 of 10 (80 %)"] * 2
    said = [label for label, truth in zip(final, truths, strict=True) if truth == "NORMAL"]
    assert cells(lesson, scores, "Specificity")[1].startswith(f"{said.count('NORMAL')} of 6 ")
    changes = "Answers changed after seeing the models"
    assert cells(lesson, changes, "towards the truth") == ["1"]
    assert cells(lesson, changes, "away from the truth") == ["1"]
    assert cells(lesson, "How sure, and how often right", "90 %") == ["8 of 9 (89 %)"]
    table = saved(lesson, "csv")
    assert [row["answer"] for row in table] == first
    assert [row["final"] for row in table] == final
    for model in ("cnn", "resnet18"):
        right = [row["truth"] == row[f"{model}_label"] for row in table].count(True)
        column = cells(lesson, scores, "Accuracy")[2 if model == "cnn" else 3]
        assert column.startswith(f"{right} of 10 ")

    lesson.get_by_role("button", name="Start over").click()
    step(lesson, "setup")
    assert lesson.evaluate(ROUND) is None
    assert "teach=" not in lesson.url


def test_a_click_is_a_mark_and_a_drag_is_not(lesson):
    lesson.get_by_role("button", name="Start the round").click()
    step(lesson, "ask", 1)
    box = lesson.locator(".pn-teach .pn-canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lesson.mouse.move(x, y)
    lesson.mouse.down()
    lesson.mouse.move(x + 60, y)
    lesson.mouse.up()
    assert lesson.evaluate(ROUND)["cases"][0]["mark"] is None
    lesson.mouse.click(x, y)
    drawn_again(lesson)
    assert lesson.evaluate(ROUND)["cases"][0]["mark"] == pytest.approx([0.5, 0.5], abs=0.01)


def give(page, files: dict[str, bytes]) -> None:
    packed = {"name": "class.zip", "mimeType": "application/zip", "buffer": zipped(files)}
    page.locator(".pn-chooser input").set_input_files([packed])


def test_a_teachers_zip_is_checked_kept_private_and_goes_on_after_a_reload(lesson, images):
    png = [(images / f"image-{number}.png").read_bytes() for number in range(4)]
    rows = "file,label\na.png,WELL\nb.png,NORMAL\nmissing.png,NORMAL\n"
    give(lesson, {"a.png": png[0], "b.png": png[2], "truth.csv": rows.encode()})
    trouble = lesson.locator(".pn-teach .pn-trouble")
    trouble.filter(has_text="line 2").wait_for()
    assert "line 4" in trouble.inner_text() and "left out: 1" in trouble.inner_text()

    ward = {"NORMAL/a.png": png[0], "NORMAL/b.png": png[2], "PNEUMONIA/c.png": png[1]}
    give(lesson, ward)
    lesson.locator(".pn-lesson-line option", has_text="Your folder (3)").wait_for(state="attached")
    lesson.get_by_role("button", name="Start the round").click()
    step(lesson, "ask", 1)
    lesson.keyboard.press("n")
    assert len(lesson.evaluate(ROUND)["cases"]) == 3
    assert "a.png" not in lesson.evaluate("() => JSON.stringify(localStorage)")
    lesson.reload()
    lesson.get_by_text("Drop the same folder").wait_for()
    give(lesson, ward)
    step(lesson, "ask", 1)
    assert lesson.locator("input[name=pn-teach-answer][value=NORMAL]").is_checked()


def test_model_failures_are_what_the_models_get_wrong(lesson, images):
    normal, sick = ((images / f"image-{number}.png").read_bytes() for number in range(2))
    give(lesson, {"PNEUMONIA/not.png": normal, "PNEUMONIA/yes.png": sick, "NORMAL/no.png": normal})
    lesson.locator(".pn-lesson-line option", has_text="Your folder (3)").wait_for(state="attached")
    lesson.locator("input[name=pn-teach-kind][value=failures]").check(force=True)
    lesson.get_by_role("button", name="Start the round").click()
    step(lesson, "ask", 1)
    assert [one["truth"] for one in lesson.evaluate(ROUND)["cases"]] == ["PNEUMONIA"]


def test_a_link_starts_its_round_and_a_projector_shows_picture_and_choices_alone(open_page):
    page = open_page("/?teach=synthetic&n=20&model=cnn", viewport={"width": 1366, "height": 768})
    step(page, "ask", 1)
    assert len(page.evaluate(ROUND)["cases"]) == 20
    page.keyboard.press("f")
    page.wait_for_selector(".pn-projector")
    assert not page.locator(".pn-lesson").is_visible()
    assert not page.get_by_role("tab", name="Model card").is_visible()
    page.keyboard.press("u")
    page.keyboard.press("Enter")
    step(page, "advice")
    assert page.locator(".pn-teach .pn-map").count() == 1
    page.keyboard.press("f")
    page.wait_for_selector(".pn-projector", state="detached")


def test_an_experiment_follows_every_change_and_tries_the_map(lesson):
    lesson.get_by_role("button", name="Experiment").click()
    normal = lesson.locator(".pn-lesson-line option", has_text="Normal").first
    lesson.locator(".pn-lesson-line select").select_option(normal.get_attribute("value"))
    says = lesson.locator(".pn-lab-says [data-model]")

    def changed(change) -> list[float]:
        before = lesson.inner_html(".pn-lab-says")
        change()
        lesson.wait_for_function(
            "(before) => document.querySelector('.pn-lab-says').innerHTML !== before "
            "&& document.querySelectorAll('.pn-lab-says [data-model]').length === 2",
            arg=before,
        )
        return [float(one.get_attribute("data-probability")) for one in says.all()]

    says.nth(1).wait_for()
    rest = [float(one.get_attribute("data-probability")) for one in says.all()]
    blur = lesson.locator(".pn-slider input[name=blur]")
    assert changed(lambda: blur.fill("2")) != rest
    assert lesson.locator(".pn-plot circle").count() >= 2
    assert changed(lambda: lesson.click("[data-do=reset]")) == pytest.approx(rest)
    lesson.locator("input[name=pn-lab-tool][value=opacity]").check(force=True)
    lesson.locator(".pn-teach .pn-stage").focus()
    for _ in range(4):
        lesson.keyboard.press("Shift+ArrowLeft")
    sick = changed(lambda: lesson.keyboard.press("Enter"))
    assert all(now > before for now, before in zip(sick, rest, strict=True))
    lesson.click("[data-do=compare]")
    lesson.wait_for_selector(".pn-believe tbody tr:nth-child(2)")
