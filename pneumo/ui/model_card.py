"""The model card tab: tables and curves drawn from the json cards, explained for a doctor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

import gradio as gr

from pneumo.models.checkpoint import (
    CheckpointError,
    available_models,
    choices_that_knew_test,
    read_card,
)
from pneumo.reading.input_check import measured_refusals
from pneumo.ui.cards import card_curve, operating_points, rate_words
from pneumo.ui.measured import measured_tables, table
from pneumo.ui.texts import text

MEASURES = ("auc", "accuracy", "sensitivity", "specificity", "brier", "ece")
TRAINING = (
    "init_sentence", "imbalance", "lung_masks", "selection", "command", "finished", "commit",
)
LIMITS = ("children", "source", "score", "heat", "other", "device")


def model_card_tab() -> gr.HTML:
    """The component of the third tab; to be called inside a Blocks context."""
    return gr.HTML(value=page(list(_cards())), apply_default_css=False, elem_id="model-card")


def page(cards: Sequence[dict]) -> str:
    """The whole tab as html.

    Args:
        cards: the json cards of the networks shown; parts that one lacks are left out.
    """
    if not cards:
        return f'<article class="pn-card"><p>{_text("model.none")}</p></article>'
    limits = "".join(f"<li>{_text(f'card.limit.{name}')}</li>" for name in LIMITS)
    knew = choices_that_knew_test(cards)
    how = text("card.results.how") + (text("card.results.knew", count=knew) if knew else "")
    return "".join([
        '<article class="pn-card">',
        f"<h2>{_text('card.title')}</h2><p>{_text('card.intended')}</p>",
        f"<h2>{_text('card.limits')}</h2><ul>{limits}</ul>",
        f"<h2>{_text('card.results')}</h2><p>{escape(how)}</p>",
        results(cards),
        "".join(_network(card) for card in cards),
        "</article>",
    ])


def results(cards: Sequence[dict]) -> str:
    """Scores of every network on every split that was scored, with intervals."""
    rows = []
    for card in cards:
        for split, scores in _splits(card):
            cells = [_scored(scores.get(name)) for name in MEASURES]
            rows.append([_title(card), split, str(scores.get("n", "")), *cells])
    head = ["card.network", "card.films", "card.count", *(f"card.{name}" for name in MEASURES)]
    return table("card.results", [text(key) for key in head], rows)


def roc(card: dict) -> str:
    """The receiver operating characteristic of the stored curve, with the operating points."""
    curve, split = card_curve(card)
    if len(curve.get("threshold") or []) < 2:
        return ""
    pairs = sorted(zip(curve["specificity"], curve["sensitivity"], strict=True))
    line = " ".join(f"{20 + 200 * (1 - well):.1f},{220 - 200 * ill:.1f}" for well, ill in pairs)
    marks = []
    for point in operating_points(card):
        if point["sensitivity"] and point["specificity"]:
            x = 20 + 200 * (1 - point["specificity"]["value"])
            y = 220 - 200 * point["sensitivity"]["value"]
            name = _text(f"point.{point['name']}.short")
            marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{name}</title></circle>')
    inside = f'<polyline class="pn-roc" points="{line}"/>{"".join(marks)}'
    return _diagram("card.roc", card, inside, text("card.roc", on=text(f"split.{split}")))


def calibration(card: dict) -> str:
    """How often pneumonia was there at each probability, where the test films were scored."""
    bins = (card.get("metrics") or {}).get("test_reliability")
    if not bins:
        return ""
    most = max(part["n"] for part in bins)
    dots = "".join(
        f'<circle cx="{20 + 200 * part["probability"]:.1f}"'
        f' cy="{220 - 200 * part["frequency"]:.1f}"'
        f' r="{2 + 5 * (part["n"] / most) ** 0.5:.1f}"><title>{part["n"]}</title></circle>'
        for part in bins
    )
    return _diagram("card.calibration", card, dots, text("card.calibration"))


def _diagram(name: str, card: dict, inside: str, caption: str) -> str:
    """A square diagram from 0 to 1 both ways; `inside` is svg in 20..220 by 220..20."""
    label = escape(text(f"{name}.alt", title=_title(card)))
    return (
        f'<figure><svg viewBox="0 0 240 250" role="img" aria-label="{label}">'
        f'<path class="pn-axis" d="M20 20V220H220M20 220L220 20"/>{inside}'
        f'<text x="120" y="240" text-anchor="middle">{_text(f"{name}.x")}</text>'
        f'<text x="12" y="120" text-anchor="middle" transform="rotate(-90 12 120)">'
        f'{_text(f"{name}.y")}</text></svg><figcaption>{escape(caption)}</figcaption></figure>'
    )


def _cards() -> Iterator[dict]:
    for name in available_models():
        try:
            yield read_card(name)
        except CheckpointError:
            continue


def _network(card: dict) -> str:
    points = [
        [text(f"point.{point['name']}"), f"{point['threshold']:.3f}",
         text(f"split.{point['split']}") if point["split"] else "–",
         rate_words(point["sensitivity"]), rate_words(point["specificity"])]
        for point in operating_points(card)
        if f"point.{point['name']}" in _known_points()
    ]
    head = [text(key) for key in
            ("point.title", "answer.threshold", "card.films", "card.sensitivity",
             "card.specificity")]
    return "".join([
        f"<section><h2>{escape(_title(card))}</h2>",
        f'<div class="pn-card-row"><div>{roc(card)}{calibration(card)}</div><div>',
        table("point.title", head, points), _confusion(card), _facts(card),
        "</div></div>", measured_tables(card), _corruptions(card), _refusals(card), "</section>",
    ])


def _corruptions(card: dict) -> str:
    """How the network does on spoiled validation films, where that was measured."""
    rows = (card.get("metrics") or {}).get("corruptions")
    if not rows:
        return ""
    keys = ("auc", "sensitivity", "specificity")
    head = [text("card.corruption"), *(text(f"card.{key}") for key in keys)]
    cells = [[row["corruption"], *(f"{row[key]:.3f}" for key in keys)] for row in rows]
    return (f"<h3>{_text('card.corruptions')}</h3><p>"
            f"{escape(text('card.corruptions.how', count=rows[0]['n']))}</p>"
            + table("card.corruptions", head, cells))


def _refusals(card: dict) -> str:
    """What the network's guard does with pictures it never saw, where that was measured."""
    name, sha256 = card["architecture"]["name"], str(card["weights"].get("sha256", ""))
    measured = measured_refusals(name, sha256)
    if not measured:
        return ""
    keys = ("n", "refused", "warned", "read")
    head = [text("card.kind"), text("card.change"), *(text(f"card.guard.{key}") for key in keys)]
    cells = [
        [row["kind"], "" if row["change"] == "plain" else row["change"],
         *(str(row[key]) for key in keys)]
        for row in measured["table"]
    ]
    return (f"<h3>{_text('card.refusals')}</h3><p>"
            f"{escape(text('card.refusals.how', auroc=format(measured['auroc'], '.4f')))}</p>"
            + table("card.refusals", head, cells))


def _known_points() -> set[str]:
    return {"point.balanced", "point.high_sensitivity", "point.high_specificity"}


def _confusion(card: dict) -> str:
    test = (card.get("metrics") or {}).get("test") or {}
    if not test.get("confusion"):
        return f"<p>{_text('card.test.none')}</p>"
    head = ["", text("card.called.ill"), text("card.called.well")]
    rows = [
        [text("card.is.ill"), *(_count(test, n) for n in ("true_positive", "false_negative"))],
        [text("card.is.well"), *(_count(test, n) for n in ("false_positive", "true_negative"))],
    ]
    return table("card.confusion", head, rows)


def _count(test: dict, name: str) -> str:
    """A count of films, with its interval where the card has one."""
    count = test["confusion"][name]
    interval = (test.get("confusion_intervals") or {}).get(name)
    if not interval:
        return str(count)
    low, high = (f"{interval[end]:.0f}" for end in ("low", "high"))
    return text("rate.interval", value=count, low=low, high=high)


def _facts(card: dict) -> str:
    """Data, training and weights: whatever the card holds, in its own words."""
    data, training = card.get("data") or {}, card.get("training") or {}
    facts = [(text("card.parameters"), f"{card['architecture'].get('parameters', 0):,}")]
    if data.get("name"):
        facts.append((text("card.data"), data["name"]))
    for side in ("training", "validation"):
        if isinstance(data.get(side), dict):
            counts = text("card.side", films=data[side].get("films", "?"),
                          patients=data[side].get("patients", "?"))
            facts.append((text(f"card.data.{side}"), counts))
    facts += [(text(f"card.training.{key}"), str(training[key])) for key in TRAINING
              if training.get(key)]
    facts.append((text("card.weights"), str(card["weights"].get("sha256", ""))))
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
                   for name, value in facts)
    return f'<dl class="pn-card-facts">{rows}</dl>'


def _splits(card: dict) -> Iterator[tuple[str, dict]]:
    metrics = card.get("metrics") or {}
    test, validation = metrics.get("test"), metrics.get("validation") or {}
    if test:
        yield text("split.test"), test
    if "auc" in validation:
        validation = {"": validation}
    for name, scores in validation.items():
        if isinstance(scores, dict) and "auc" in scores:
            yield f"{text('split.validation')} {name}".strip(), scores


def _scored(rate: dict | None) -> str:
    if not isinstance(rate, dict) or rate.get("value") is None:
        return "–"
    low, high = rate.get("low"), rate.get("high")
    if low is None:
        return f"{rate['value']:.3f}"
    return text("rate.interval", value=f"{rate['value']:.3f}", low=f"{low:.3f}", high=f"{high:.3f}")


def _title(card: dict) -> str:
    return str(card["architecture"].get("title") or card["architecture"]["name"])


def _text(key: str) -> str:
    return escape(text(key))
