"""Model card: operating points, calibration, prediction sets and predictive values."""

from __future__ import annotations

from pneumo.reading.decision import predictive_values
from pneumo.reporting.card_markdown import measured, number, section, table

PREVALENCES = (0.02, 0.05, 0.1, 0.2, 0.5)
BOTH = ("sensitivity", "specificity")


def probability_sections(card: dict) -> list[str]:
    """The sections on what the probability means, as far as the card has the numbers."""
    parts = (_points(card), _calibration(card), _sets(card), _values(card))
    return [part for part in parts if part]


def _points(card: dict) -> str:
    rows = []
    for name, point in card["operating_points"].items():
        test = point.get("test") or {}
        rows.append([
            name.replace("_", " "), f"{point['threshold']:.3f}",
            *(number(point["validation"][key]) for key in BOTH),
            *(number(test.get(key)) for key in BOTH), point["rule"],
        ])
    areas = ", ".join(
        f"{name} {values['auc']['value']:.4f}"
        for name, values in card["metrics"]["validation"].items()
    )
    found = {name: point["specificity_by_series"] for name, point in
             card["operating_points"].items() if point.get("specificity_by_series")}
    series = next(iter(found.values()), {})
    by_series = table(
        ["operating point", *(f"{name} (n = {value['n']})" for name, value in series.items())],
        [[name.replace("_", " "), *(number(point.get(one)) for one in series)]
         for name, point in found.items()],
    ) if series else ""
    return section(
        "Operating points",
        table(["operating point", "threshold", *(f"{key}, validation" for key in BOTH),
               *(f"{key}, test" for key in BOTH), "rule"], rows),
        "Intervals of this table are exact (Clopper-Pearson, 95 %). Validation films "
        "count as copies that are framed anew and degraded (resampled, blurred, sharpened, noisy, "
        "JPEG) at several strengths, the same for both classes, because the films as they are "
        f"share the flaws of the training films; AUC on each, and on them as they are: {areas}. "
        "Sensitivity and specificity count a probability at or above the threshold as PNEUMONIA "
        "and any other as NORMAL; which films are shown as UNCERTAIN instead stands under "
        "prediction sets.",
        "The NORMAL films come in series, which their names tell, and some are easier than others. "
        "The specificity by which thresholds were chosen is that of the hardest; on validation:"
        if series else "",
        by_series,
    )


def _calibration(card: dict) -> str:
    fitted, check = card["calibration"], measured(card, "calibration_check")
    text = (
        "The probability is calibrated on the same copies (Platt scaling, slope "
        f"{fitted['slope']:.3f}, offset {fitted['offset']:+.3f}) for a ward where half of the "
        "children have pneumonia."
    )
    if check and check.get("ece") is not None:
        text += f" Checked there: calibration error {number(check['ece'])}"
        if check.get("ece_classes_alike") is not None:
            text += f", with both classes weighted alike {number(check['ece_classes_alike'])}"
        text += f" ({check['rule']})." if check.get("rule") else "."
    if test := card["metrics"].get("test"):
        text += (
            f" On the official test films the calibration error is {number(test['ece'])}, the "
            f"Brier score {number(test['brier'])}."
        )
    return section("Calibration", text)


def _sets(card: dict) -> str:
    """Where the answer is UNCERTAIN, and how often the certain answers are right."""
    band = measured(card, "uncertain")
    if not band:
        return ""
    validation, test = band.get("validation") or {}, band.get("test") or {}
    rows = []
    names = (("validation", validation, "uncertain"), ("test", test, "share"))
    for name, found, share in names:
        if found:
            rows.append([name, *(number(found.get(key)) for key in
                                 (share, "certain_accuracy", "coverage_normal",
                                  "coverage_pneumonia"))])
    levels = " and ".join(f"{value:g} among {kind.upper()}" for kind, value in
                          (band.get("levels") or {}).items())
    return section(
        "Prediction sets",
        f"A probability from {band['low']:.3f} to {band['high']:.3f} is called UNCERTAIN: "
        f"{band.get('rule', 'class-conditional conformal prediction sets')}"
        + (f"; levels of error {levels} films" if levels else "") + ". Covered is a film whose "
        "label is right or UNCERTAIN. The levels were looked for on the validation films that also "
        "give the quantiles, so the usual guarantee of coverage does not hold, and their row "
        "flatters; the test films' does not.",
        table(["films", "UNCERTAIN", "certain answers that are right", "NORMAL films covered",
               "PNEUMONIA films covered"], rows) if rows else "",
        *_labels(band.get("test_labels")),
    )


def _labels(points: dict | None) -> tuple[str, ...]:
    """What a person is shown for the test films, at each operating point."""
    if not points:
        return ()
    names = ("NORMAL", "UNCERTAIN", "PNEUMONIA")
    rows = [
        [point.replace("_", " "), truth, *(str(given[name]) for name in names)]
        for point, classes in points.items() for truth, given in classes.items()
    ]
    return (
        "Labels shown for the test films; a threshold outside of the band widens it:",
        table(["operating point", "film", *(f"called {name}" for name in names)], rows),
    )


def plain_at(measure: float | dict, end: str) -> float:
    """The value or an end of a measure; a measure without an interval has its value alone."""
    return float(measure[end] if isinstance(measure, dict) else measure)


def _value(value: float, low: float, high: float) -> str:
    """A predictive value; none is printed as if it were certain."""

    def words(one: float) -> str:
        return "> 0.999" if one >= 0.9995 else number(one)

    return words(value) if low == high else f"{words(value)} ({words(low)} to {words(high)})"


def _values(card: dict) -> str:
    """What a label is worth on wards with fewer pneumonias than the test films."""
    point = card["operating_points"].get("balanced", {}).get("test")
    if not point:
        return ""
    rows = []
    for prevalence in PREVALENCES:
        ends = [predictive_values(*(plain_at(point[key], end) for key in BOTH), prevalence)
                for end in ("value", "low", "high")]
        rows.append([f"{prevalence:.0%}", *map(_value, *ends)])
    return section(
        "Predictive values",
        "From the test films' sensitivity and specificity at the balanced operating point, by the "
        "share of a ward's films that show pneumonia; in brackets with both at the ends of their "
        "intervals. UNCERTAIN is left out of account: a call is PNEUMONIA or NORMAL. They hold "
        "where films and patients are like those of the test split.",
        table(["share with pneumonia", "PNEUMONIA is right (PPV)", "NORMAL is right (NPV)"], rows),
    )
