"""Tables of the model card tab on what was measured beyond accuracy; what was not is left out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pneumo.models.checkpoint import with_interval
from pneumo.ui.texts import text

LUNGS = ("heat_in_lungs", "peak_in_lung", "auc_only_lungs", "auc_without_lungs")
CERTAINTY = ("certain_accuracy", "coverage_normal", "coverage_pneumonia")
RATES = ("auc", "sensitivity", "specificity")


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table that scrolls where it is too wide; every cell is escaped.

    Args:
        caption: key of the sentence that names the table to a screen reader.
        head: cells of the first row; an empty one heads nothing.
        rows: cells; the first of each heads its row.
    """
    top = "".join(f'<th scope="col">{escape(cell)}</th>' if cell else "<td></td>" for cell in head)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    )
    name = escape(text(caption))
    return (f'<div class="pn-scroll" tabindex="0" role="region" aria-label="{name}">'
            f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>")


def number(measure: float | dict | None) -> str:
    """A value with its interval where it has one; a dash where there is none."""
    if not isinstance(measure, dict):
        return "–" if measure is None else f"{measure:.3f}"
    if measure.get("value") is None:
        return "–"
    value, low, high = (measure.get(key) for key in ("value", "low", "high"))
    if low is None or high is None:
        return f"{value:.3f}"
    return text("rate.interval", value=f"{value:.3f}", low=f"{low:.3f}", high=f"{high:.3f}")


def measured_tables(card: dict) -> str:
    """Prediction sets, evidence in the lungs, the sharpness shortcut and adult films, as html."""
    makers = {"uncertain": _certainty, "lungs": _lungs, "shortcut": _shortcut, "adults": _adults}
    metrics = card.get("metrics") or {}
    return "".join(
        _section(key, *make(found))
        for key, make in makers.items()
        if (found := metrics.get(key) or card.get(key))
    )


def _section(key: str, how: dict, head: list[str], rows: list[list[str]]) -> str:
    return (f"<h3>{escape(text(f'card.{key}'))}</h3>"
            f"<p>{escape(text(f'card.{key}.how', **how))}</p>" + table(f"card.{key}", head, rows))


def _certainty(found: dict) -> tuple[dict, list[str], list[list[str]]]:
    rows = []
    for split, share in (("validation", "uncertain"), ("test", "share")):
        if part := found.get(split):
            rows.append([text(f"split.{split}"),
                         *(number(part.get(key)) for key in (share, *CERTAINTY))])
    how = {"low": f"{found['low']:.3f}", "high": f"{found['high']:.3f}"}
    keys = ("uncertain.share", *(f"uncertain.{key}" for key in CERTAINTY))
    return how, _head("films", *keys), rows


def _lungs(found: dict) -> tuple[dict, list[str], list[list[str]]]:
    row = [number(with_interval(found, key)) for key in LUNGS]
    return {}, _head(*(f"lungs.{key}" for key in LUNGS)), [row]


def _shortcut(found: dict) -> tuple[dict, list[str], list[list[str]]]:
    rows = [[row["stratum"], str(row["n"]), number(row["auc"]), number(row["auc_sharpness"])]
            for row in found["strata"]]
    again = found["recompressed"]
    how = {"size": again["bytes_per_pixel"], **{
        when: number(again[when]["specificity"]) for when in ("before", "after")}}
    return how, _head("films", "count", "auc", "shortcut.alone"), rows


def _adults(found: dict) -> tuple[dict, list[str], list[list[str]]]:
    rows = [[row["view"], str(row["n"]), *(number(row[key]) for key in RATES)]
            for row in found["rows"]]
    how = {"source": found["source"], "trained_on": found.get("trained_on", 0)}
    return how, _head("adults.view", "count", *RATES), rows


def _head(*keys: str) -> list[str]:
    return [text(f"card.{key}") for key in keys]
