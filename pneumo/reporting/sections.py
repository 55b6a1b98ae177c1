"""What is said of the networks: one list of sections for MODEL_CARD.md, the app and the README.

A section is plain data. Markdown and the app's tab are two ways to draw it; words and numbers are
chosen here, from the cards and the input check's file alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pneumo.models.card import Card, Corruption, Estimate, PolicyMeasures, PolicyResult
from pneumo.reading.input_check import InputCheckFile, WarningRow


@dataclass(frozen=True)
class Table:
    """A table: its head, and rows of as many cells; the first cell of a row heads it."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Bullets:
    """A list of short sentences."""

    items: Sequence[str]


Block = str | Table | Bullets


class Section:
    """A part of the model card: its title, and paragraphs, tables and lists; none if unknown."""

    def __init__(self, title: str, *blocks: Block) -> None:
        self.title, self.blocks = title, blocks


SCORES = {
    "auc": "AUC",
    "accuracy": "accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ece": "calibration error",
}
LOCALIZATION = {
    "composites_share": "composites, evidence on the diseased side",
    "composites_right": "composites with more on that side",
    "boxes_side_share": "boxes, evidence on the diseased side",
    "boxes_peak": "boxes, strongest point inside",
    "opacities_peak": "opacities, strongest point inside",
    "opacities_share": "opacities, evidence inside",
    "maps_alike": "correlation of different maps",
    "mirror_agreement": "agreement after mirroring",
    "lungs_share": "lungs, evidence inside",
    "lungs_peak": "lungs, strongest point inside",
    "auc_lungs_only": "AUC, lungs only",
    "auc_lungs_masked": "AUC, lungs masked",
    "normals_hot": "unlikely normals with a hot spot",
}
# A corruption that costs less than this, in sensitivity or specificity, is not listed.
NOTABLE = 0.02
LICENCE = (
    "Data: Kermany, Zhang, Goldbaum, Mendeley Data, DOI 10.17632/rscbjbr9sj, CC BY 4.0; Kermany et "
    "al., Cell 172 (2018) 1122-1131.",
    "Adult radiographs (evaluation): Wang et al., ChestX-ray8, CVPR 2017, NIH Clinical Center. "
    "Lung fields that taught the segmenter: V7 Labs, COVID-19 X-ray dataset, CC BY 4.0.",
    "Starting weights of ResNet-18: torchvision, BSD-3. Code and weights: MIT.",
)


def number(measure: Estimate | float | None, digits: int = 3) -> str:
    """A value, with its 95 % interval where it has one; a dash where there is none."""
    if measure is None:
        return "–"
    if not isinstance(measure, Estimate):
        return f"{measure:.{digits}f}"
    value = f"{measure.value:.{digits}f}"
    if measure.low is None or measure.high is None:
        return value
    return f"{value} ({measure.low:.{digits}f}–{measure.high:.{digits}f})"


def percent(share: float | Estimate | None) -> str:
    """A share in per cent, without its interval; a dash where there is none."""
    if share is None:
        return "–"
    return f"{100 * (share.value if isinstance(share, Estimate) else share):.1f} %"


def sections(cards: Sequence[Card], check: InputCheckFile | None = None) -> tuple[Section, ...]:
    """The model card of some networks and their input check; what was not measured is left out."""
    parts = (
        _use(),
        results(cards),
        _decision(cards),
        _evidence(cards),
        _robustness(cards),
        _shortcut(cards),
        _external(cards),
        _input_check(check),
        _data(cards),
        _training(cards),
        _limits(cards),
        Section("Licences and attribution", Bullets(LICENCE)),
    )
    return tuple(part for part in parts if part.blocks)


def results(cards: Sequence[Card]) -> Section:
    """Scores on the official test split: the section that the README shows as well."""
    rows, notes, sizes = [], [], set()
    for card in cards:
        test = card.metrics.test
        cells = [number(getattr(test.scores, key)) if test else "not scored" for key in SCORES]
        rows.append([card.title, *cells])
        if test:
            sizes.add(test.scores.n)
            kinds = [f"sensitivity, {k}: {number(v)}" for k, v in test.sensitivity_by_kind.items()]
            series = [
                f"specificity, {k}: {number(v)}" for k, v in test.specificity_by_series.items()
            ]
            notes.append(f"{card.title}: {'; '.join(kinds + series)}.")
    if not sizes:
        note = "The official test split has not been scored with these weights."
        return Section("Results", *([note] if cards else []))
    note = (
        f"Official test split, {max(sizes)} radiographs, at the decisive threshold fixed on "
        "validation; scored once with these weights. Brackets: bootstrap 95 % intervals. Earlier "
        "weights were scored before, so differences below 0.005 AUC mean nothing."
    )
    return Section("Results", Table(["network", *SCORES.values()], rows), note, *notes)


def _use() -> Section:
    scope = (
        "Out of scope: diagnosis, triage, or ruling out pneumonia in a patient.",
        "Out of scope: adults, infants, lateral radiographs, computed tomography.",
        "Detects pneumonia only, not its kind or severity; an effusion, a pneumothorax, a tumour "
        "or a fracture may be labelled NORMAL.",
        "The heatmap shows coarsely what moved the score. It does not outline disease.",
    )
    return Section(
        "Intended use",
        "Teaching and research: how a network judges a child's frontal chest radiograph, how sure "
        "it is, and where it looks. Not a medical device: no decision about a patient may rest on "
        "it.",
        "Validated population: children of one to five years, one hospital (Guangzhou Women and "
        "Children's Medical Center), frontal radiographs, pneumonia or normal.",
        Bullets(scope),
    )


def _decision(cards: Sequence[Card]) -> Section:
    """Presets, and what the probability means."""
    title = "Decision and probability"
    if not cards:
        return Section(title)
    results = [result for card in cards for result in card.policies.values()]
    split = "test" if all(one.test for one in results) else "test or, if unscored, validation"
    rows = [
        [
            f"{card.title}, {name}",
            f"{result.policy.rule_out:.3f}",
            f"{result.policy.rule_in:.3f}",
            *policy_cells(result.test or result.validation),
        ]
        for card in cards
        for name, result in card.policies.items()
    ]
    return Section(
        title,
        "Below rule-out pneumonia is unlikely, at or above rule-in likely, between them "
        "indeterminate: neither found nor cleared. Thresholds (at a prevalence of 50 %) are fixed "
        "on validation, clean and degraded copies alike, specificity in the harder series of "
        f"NORMAL. Rates on {split}; PPV and NPV at its prevalence:",
        Table(["preset", "rule-out", "rule-in", *POLICY_HEAD], rows),
        *(_probability(card) for card in cards),
    )


def _probability(card: Card) -> str:
    check, test = card.metrics.calibration_check, card.metrics.test
    errors = [f"{number(check.ece)} on patients left out"] if check else []
    errors += [f"{number(test.scores.ece)} on test"] if test else []
    return (
        f"{card.title}: Platt scaling on validation; calibration error "
        f"{' and '.join(errors) or 'not measured'}. Shown at a prevalence of "
        f"{100 * card.prevalence:.0f} % unless another one is chosen."
    )


POLICY_HEAD = {
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "missed": "false_negatives",
    "false alarms": "false_positives",
    "indeterminate": "indeterminate",
    "PPV": "ppv",
    "NPV": "npv",
}


def policy_cells(measured: PolicyMeasures) -> list[str]:
    """A policy's measures in the order of `POLICY_HEAD`."""
    return [percent(getattr(measured, name)) for name in POLICY_HEAD.values()]


def _evidence(cards: Sequence[Card]) -> Section:
    """Localization, each measure beside that of a constant map."""
    title = "Where the evidence lies"
    tables = [(card, card.evidence.localization) for card in cards if card.evidence.localization]
    if not tables:
        return Section(title)
    rows = []
    for key, words in LOCALIZATION.items():
        if any(key in found for _, found in tables):
            found_here = [found.get(key) for _, found in tables]
            pairs = [(row.network, row.constant_map) if row else (None, None) for row in found_here]
            rows.append([words, *(number(value, 2) for pair in pairs for value in pair)])
    verdicts = [
        f"{card.title}: the heatmap tells which lung is affected."
        if card.evidence.reliable_side
        else f"{card.title}: the heatmap does not tell which lung is affected; the app hides it "
        "unless asked."
        for card, _ in tables
    ]
    return Section(
        title,
        "Grad-CAM where the place of disease is known: composites (one hemithorax with pneumonia, "
        "one normal) and opacities inserted into normals, both of validation radiographs, and "
        "radiologists' boxes on adults. The constant map, the mean of all maps, is what a heatmap "
        "that says nothing reaches.",
        Table(["measure", *(c for card, _ in tables for c in (card.title, "constant map"))], rows),
        *verdicts,
    )


def _robustness(cards: Sequence[Card]) -> Section:
    title = "Robustness to image corruptions"
    found = [card for card in cards if card.metrics.corruptions]
    if not found:
        return Section(title)
    tables = [{row.name: row for row in card.metrics.corruptions} for card in found]
    names = list(tables[0])
    rows = []
    for name in names:
        given = [table.get(name) for table in tables]
        if name == "none" or any(_notable(table, name) for table in tables):
            cells = [
                number(value)
                for row in given
                for value in ((row.auc, row.sensitivity, row.specificity) if row else (None,) * 3)
            ]
            rows.append([name, *cells])
    head = [f"{card.title}, {rate}" for card in found for rate in ("AUC", "sens.", "spec.")]
    return Section(
        title,
        f"Of {len(names) - 1} corruptions of the {tables[0][names[0]].n} validation radiographs, "
        f"those that cost {NOTABLE} or more sensitivity or specificity (decisive):",
        Table(["corruption", *head], rows),
    )


def _notable(table: Mapping[str, Corruption], name: str) -> bool:
    row, clean = table.get(name), table.get("none")
    if row is None or clean is None:
        return False
    lost = (clean.sensitivity - row.sensitivity, clean.specificity - row.specificity)
    return max(lost) >= NOTABLE


def _shortcut(cards: Sequence[Card]) -> Section:
    lines = []
    for card in cards:
        if found := card.metrics.shortcut:
            thirds = ", ".join(f"{row.name} {number(row.auc)}" for row in found.strata if row.auc)
            worst = max(found.jpeg, key=lambda row: row.flipped)
            before, after = found.recompressed_before, found.recompressed_after
            lines.append(
                f"{card.title}: AUC {number(found.auc)} (sharpness alone "
                f"{number(found.auc_sharpness)}); at equal sharpness: {thirds}. Recompressed to "
                f"0.08 bytes per pixel: specificity {number(before.specificity)} to "
                f"{number(after.specificity)}, sensitivity {number(before.sensitivity)} to "
                f"{number(after.sensitivity)}. JPEG of quality {worst.quality} moves "
                f"{percent(worst.flipped)} across the threshold."
            )
    if not lines:
        return Section("Shortcut analysis")
    return Section(
        "Shortcut analysis",
        "In the training split NORMAL was compressed less than PNEUMONIA: sharpness gives the "
        "label away. On validation:",
        Bullets(lines),
    )


def _external(cards: Sequence[Card]) -> Section:
    title = "External evaluation: adults"
    measured = [(card, row) for card in cards for row in card.metrics.external]
    if not measured:
        return Section(title)
    first = measured[0][1]
    rows = [
        [f"{card.title}, {row.group}", str(row.n), str(row.positives)]
        + [number(rate) for rate in (row.auc, row.sensitivity, row.specificity)]
        for card, row in measured
    ]
    return Section(
        title,
        f"{first.source}; labels: {first.reference}, often wrong: earlier weights with an AUC of "
        "0.86 to 0.89 here had 0.74 to 0.75 against radiologists' own reads. Decisive threshold; "
        "nothing was trained or chosen on them.",
        Table(["network, view", "n", "pneumonia", "AUC", "sensitivity", "specificity"], rows),
    )


def _input_check(check: InputCheckFile | None) -> Section:
    """Which images are refused, and how far the warnings can be trusted."""
    title = "Input check"
    if check is None or not check.refusals:
        return Section(title)
    shares = {(row.kind, row.change): percent(row.refused) for row in check.refusals}
    chests = dict.fromkeys(row.kind for row in check.refusals if row.chest)
    changes = dict.fromkeys(row.change for row in check.refusals if row.chest)
    others = {row.kind: row.refused for row in check.refusals if not row.chest and not row.change}
    missed = [f"{kind} {percent(share)}" for kind, share in others.items() if share.value < 1]
    warnings: dict[str, list[WarningRow]] = {}
    for row in check.warnings:
        warnings.setdefault(row.code.rstrip("_0123456789"), []).append(row)
    return Section(
        title,
        "One for all networks, before any of them runs. Refused, of patients that it was not "
        "fitted on:",
        Table(
            ["radiographs of", *(change or "unchanged" for change in changes)],
            [[kind, *(shares.get((kind, change), "–") for change in changes)] for kind in chests],
        ),
        f"Other images, each kind left out of the fit: all refused of {len(others) - len(missed)} "
        "kinds" + "".join(f"; {one}" for one in missed) + ". Lateral radiographs are detected only "
        "where the file declares the view. Warnings, the worst population of each:",
        Table(
            ["warning", "false alarms", "found or refused"],
            [
                [
                    code,
                    percent(max((r.false_alarms for r in rows if r.false_alarms), key=_value)),
                    percent(min((r.found for r in rows if r.found), key=_value, default=None)),
                ]
                for code, rows in warnings.items()
            ],
        ),
    )


def _value(share: Estimate) -> float:
    return share.value


def _data(cards: Sequence[Card]) -> Section:
    if not cards:
        return Section("Data")
    data = cards[0].data
    others = sorted({other for card in cards for other in card.data.others})
    flaws = (
        "Compression differs between the classes of the train split. Training and validation "
        "copies are degraded alike for both.",
        "Labels come from two physicians' reading (a third for test), not from laboratory tests.",
        "Prevalence is far above that of most wards.",
    )
    return Section(
        "Data",
        f"{data.name}. Trained on {data.training.radiographs:,} radiographs of "
        f"{data.training.patients:,} patients of the official train split, validated on "
        f"{data.validation.radiographs} of {data.validation.patients} others; "
        f"{percent(data.prevalence)} show pneumonia. Files: {data.fingerprint[:16]}."
        + "".join(f" Also used: {other}." for other in others),
        Bullets(flaws),
    )


def _training(cards: Sequence[Card]) -> Section:
    blocks: list[Block] = []
    for card in cards:
        facts, weights = card.training, card.weights
        taught = "".join(f" Taught by {teacher[:21]}." for teacher in facts.teachers)
        blocks.append(
            f"{card.title}: {weights.parameters:,} parameters, {card.preprocessing.size} px, "
            f"{facts.recipe.get('epochs', '?')} epochs, {facts.seconds / 60:.0f} minutes on "
            f"{facts.device}. {facts.start}{taught} Command: {facts.command}; commit "
            f"{facts.commit[:12] or 'unknown'}; weights sha256 {weights.sha256}."
        )
    rows = [
        [
            f"{card.title}, {seed.seed}" + (" (bundled)" if seed.chosen else ""),
            *(number(seed.measures.get(key)) for key in SEED_MEASURES),
        ]
        for card in cards
        for seed in card.training.seeds
    ]
    if rows:
        blocks.append(f"Selection: {cards[0].training.selection}. Spread over seeds:")
        blocks.append(Table(["network, seed", *SEED_MEASURES.values()], rows))
    return Section("Training", *blocks)


SEED_MEASURES = {
    "validation_auc": "AUC",
    "degraded_auc": "AUC, degraded",
    "composites_share": "composites",
    "opacities_peak": "opacities",
    "boxes_side_share": "boxes, side",
}


def _limits(cards: Sequence[Card]) -> Section:
    """Failures that the measurements show."""
    lines = [f"{card.title}: {line}" for card in cards for line in _failures(card)]
    return Section("Known failures", *([Bullets(lines)] if lines else []))


def _failures(card: Card) -> Iterable[str]:
    metrics = card.metrics
    if test := metrics.test:
        counts = test.scores.confusion
        yield (
            f"{counts.false_positive} of {test.scores.n - test.scores.positives} normal test "
            f"radiographs called pneumonia, {counts.false_negative} of {test.scores.positives} "
            "pneumonias missed (decisive)."
        )
    if broken := [line for result in card.policies.values() for line in _broken(result)]:
        yield f"thresholds fixed on validation do not hold on test: {'; '.join(broken)}."
    if external := [row for row in metrics.external if row.group == "all"]:
        yield (
            f"adults: AUC {number(external[0].auc)}, specificity {number(external[0].specificity)}."
        )


def _broken(result: PolicyResult) -> Iterable[str]:
    """Rates of which the whole test interval lies on the wrong side of validation's value."""
    for name in ("sensitivity", "specificity") if result.test else ():
        before, after = getattr(result.validation, name), getattr(result.test, name)
        if after.high is not None and after.high < before.value:
            yield (
                f"{result.policy.name}, {name} {number(before.value)}, then {number(after.value)}"
            )
