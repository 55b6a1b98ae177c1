"""What is said about a reading, once for the page, the table and the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pneumo.models.card import Card, Estimate
from pneumo.reading.checks import Check
from pneumo.reading.decision import measures_at, predictive_values
from pneumo.reading.reader import Reading
from pneumo.reporting.numbers import number
from pneumo.ui.schemas import Choice
from pneumo.ui.texts import card_word, coded, localized, text


@dataclass(frozen=True)
class Result:
    """One network's result as it is shown."""

    model: str
    title: str
    label: str
    says: str  # words of the label
    outside: str  # words when the image is outside the validated population, else ""
    probability: float  # at the prevalence chosen; `percent` and `at` are its words
    percent: str
    at: str
    rule_out: float  # thresholds at the same prevalence
    rule_in: float
    where: str  # a sentence about the strongest evidence, or ""
    basis: str  # model and preset
    rows: tuple[tuple[str, str], ...]  # name and value of what stands under "How sure?"
    map_on: bool  # whether the heatmap is drawn unasked
    map_note: str  # why not


def judged(reading: Reading, card: Card, choice: Choice) -> Reading:
    """The reading at the policy and prevalence chosen; no network runs."""
    prevalence = card.prevalence if choice.prevalence is None else choice.prevalence
    return reading.with_policy(choice.policy_for(card)).with_prevalence(prevalence)


def result_of(reading: Reading, card: Card) -> Result:
    """The words for a reading that was `judged` and has the status "ok"."""
    label, probability = reading.label, reading.probability
    rule_out, rule_in, policy = reading.rule_out, reading.rule_in, reading.policy
    assert label and policy and probability is not None
    assert rule_out is not None and rule_in is not None
    # Figures hold neither for adults nor for what the input check refused.
    outside = any(
        check.outcome == "failed" or (check.name, check.outcome) == ("population", "warned")
        for check in reading.checks
    )
    prevalence, own = percent(reading.prevalence), reading.prevalence == card.prevalence
    unlikely, reliable = label == "NORMAL", card.evidence.reliable_side
    where = ""
    if reading.strongest_zone and not unlikely:
        where = text("result.where", zone=text(f"zone.{reading.strongest_zone}"))
    note = "map.off.unreliable" if not reliable else "map.off.unlikely" if unlikely else "map.off"
    return Result(
        model=card.name,
        title=card.title,
        label=label,
        says=text(f"result.{label}"),
        outside=text("result.outside") if outside else "",
        probability=probability,
        percent=percent(probability),
        at=text("result.at.own" if own else "result.at.chosen", prevalence=prevalence),
        rule_out=rule_out,
        rule_in=rule_in,
        where=where,
        basis=text("result.basis", model=card.title, policy=text(f"policy.{policy.name}")),
        rows=tuple(_rows(reading, card, outside)),
        map_on=reliable and not unlikely,
        map_note=text(note),
    )


def numbers_of(choice: Choice, card: Card) -> dict[str, str]:
    """Prevalence and thresholds that a choice means for a network, in per cent, for the fields
    of the page."""
    prevalence = card.prevalence if choice.prevalence is None else choice.prevalence
    ends = choice.policy_for(card).at(prevalence)
    values = {"prevalence": prevalence, "rule_out": ends.rule_out, "rule_in": ends.rule_in}
    return {name: localized(f"{100 * value:.4g}") for name, value in values.items()}


def warnings_of(checks: Sequence[Check]) -> list[str]:
    """The sentences of all checks that have not passed, those first that refuse the image."""
    noted = [check for check in checks if check.outcome != "passed"]
    noted.sort(key=lambda check: check.outcome != "failed")
    return list(dict.fromkeys(check_words(check) for check in noted))


def check_words(check: Check) -> str:
    """The sentence of a check."""
    return coded("check", check.code, check.detail, **check.values)


def reason_of(reading: Reading) -> str:
    """Why an image was not analyzed, "" when it was."""
    if reading.status == "error" or reading.reason_code:
        return coded("error", reading.reason_code, reading.reason, **reading.reason_values)
    failed = [check_words(check) for check in reading.checks if check.outcome == "failed"]
    return "" if reading.ok else failed[0] if failed else reading.reason


def agreement(results: Sequence[Result], cards: Sequence[Card]) -> tuple[str, str]:
    """Code and sentence of how several networks agree; codes "agree", "undecided", "differ"."""
    labels = {result.label for result in results}
    if len(labels) > 1:
        return "differ", text("result.differ")
    if "INDETERMINATE" in labels:
        return "undecided", text("result.undecided")
    for student in cards:
        for teacher in cards:
            if any(teacher.name in words for words in student.training.teachers):
                names = {"student": student.title, "teacher": teacher.title}
                return "agree", text("result.agree.taught", **names)
    return "agree", text("result.agree")


def _rows(reading: Reading, card: Card, outside: bool) -> list[tuple[str, str]]:
    ends = dict.fromkeys((reading.rule_out, reading.rule_in))
    name = "result.thresholds" if len(ends) == 2 else "result.threshold"
    rows = [(text(name), " / ".join(percent(end) for end in ends))]
    if outside:
        rows += _external(card)
    else:
        rows += _measured(reading, card)
    for lung in () if reading.label == "NORMAL" else ("right", "left"):
        shares = [percent(zone.share, 0) for zone in reading.zones if zone.lung == lung]
        if shares:
            rows.append((text(f"result.zones.{lung}"), " / ".join(shares)))
    return rows


def _measured(reading: Reading, card: Card) -> list[tuple[str, str]]:
    """What the labels were worth on the test set, or on validation while it was not scored."""
    assert reading.policy and reading.prevalence is not None
    preset = card.policies.get(reading.policy.name)
    if preset is not None:
        split, measured = (
            ("test", preset.test) if preset.test else ("validation", preset.validation)
        )
    else:
        whole = card.metrics.test or card.metrics.validation
        if whole is None:
            return []
        split = "test" if card.metrics.test else "validation"
        share = whole.scores.positives / max(1, whole.scores.n)
        measured = measures_at(whole.curve, reading.policy, share, whole.scores.n)
    words = {"split": text(f"split.{split}")}
    values = (percent(value, 0) for value in predictive_values(measured, reading.prevalence))
    return [
        (text("result.sensitivity", **words), rate(measured.sensitivity)),
        (text("result.specificity", **words), rate(measured.specificity)),
        (text("result.indeterminate", **words), rate(measured.indeterminate)),
        (text("result.predictive", prevalence=percent(reading.prevalence)), " / ".join(values)),
    ]


def _external(card: Card) -> list[tuple[str, str]]:
    """What was measured elsewhere, where the figures of the training hospital do not hold."""
    found = [one for one in card.metrics.external if one.group == "all"] or card.metrics.external
    if not found:
        return [(text("result.external.none"), text("result.external.none.value"))]
    return [
        (
            text(
                "result.external",
                measure=text(f"result.external.{measure}"),
                source=card_word(one.source),
            )
            + ("" if one.group == "all" else f", {one.group}"),
            rate(getattr(one, measure)),
        )
        for one in found
        for measure in ("auc", "sensitivity", "specificity")
    ]


def rate(measured: Estimate | float | None) -> str:
    """A measured share with its interval, in the digits of the language."""
    return localized(number(measured, 2))


def percent(value: float | None, digits: int = 1) -> str:
    """A share as it is printed everywhere, never as certainty: 0.9996 is "> 99.9 %"."""
    if value is None:
        return "–"
    shown, sign, least = 100 * value, "", 10.0**-digits
    if 0 < shown < least:
        shown, sign = least, "< "
    elif value < 1 and shown > 100 - least:
        shown, sign = 100 - least, "> "
    return localized(f"{sign}{shown:.{digits}f} %")
