"""Model card: whom it is for, the data and its flaws, known failures, and what it is not for."""

from __future__ import annotations

from collections.abc import Iterable

from pneumo.models.checkpoint import heat_tells_side, with_interval
from pneumo.reporting.card_markdown import measured, number

INTENDED = """## Intended use

Teaching and research: to show how a network reads a child's frontal chest film, how sure it is and
where it looks. It is **no medical device**; no decision about a patient may rest on it.

Users: teachers and students of medicine and of machine learning, and researchers.

Population: children of one to five years, one hospital (Guangzhou Women and Children's Medical
Center), frontal films, pneumonia or normal. Other diseases, adults, lateral films and other
hospitals are outside of what the numbers say.

## Not for

- Diagnosis, triage, screening or ruling out pneumonia in a patient, alone or as a second reader.
- Adults, infants under one year, lateral films, computed tomography, ultrasound.
- Telling bacterial from viral pneumonia, how severe it is, or anything but pneumonia: an effusion,
  a pneumothorax, a tumour or a fracture may be called NORMAL.
- The heat as an outline of disease: it shows what moved the score, coarsely.
- Films prepared otherwise than the hospital's pictures (photographs of a screen, cropped or marked
  films): the guard warns of some of them, not of all."""

LICENCE = """## Data licence and attribution

Kermany, Zhang, Goldbaum: Labeled Optical Coherence Tomography (OCT) and Chest X-Ray Images for
Classification, Mendeley Data, DOI 10.17632/rscbjbr9sj, CC BY 4.0; Kermany et al., Cell 172 (2018)
1122-1131. ImageNet starting weights: torchvision (BSD-3). Adult films: Wang et al., ChestX-ray8,
CVPR 2017, NIH Clinical Center. Lung fields of the train films: V7 Labs, COVID-19 X-ray dataset
(Darwin), CC BY 4.0; they were joined to the films by their pictures, and a few may be another
film's. The weights and this code: MIT."""


def data_section(found: list[dict]) -> str:
    """The data's flaws and what was done about them; the shares come from the cards."""
    lines = [
        "In the train split, NORMAL films were saved with less compression than PNEUMONIA films, "
        "so sharpness alone tells the classes apart. Training therefore resamples, blurs, "
        "sharpens, adds noise and compresses films of both classes alike, and validation films "
        "are degraded alike as well.",
        "The same patient can have several films; validation is grouped by patient.",
        "Labels come from one reading of each film by two physicians, a third for the test split; "
        "they are not proven by laboratory tests.",
    ]
    adults = [card["data"]["adults"] for card in found if card["data"].get("adults")]
    if adults:
        lines.append(
            f"{adults[0]['films']} films of {adults[0]['patients']} adults of another hospital "
            "took part in the training: an adult's film is not to be read at random or worse. "
            "Their labels were read from reports by a program; that makes no reader of adults."
        )
    if shares := _shares(found):
        lines.append(f"{shares} show pneumonia; a ward has far fewer, so predictive values must "
                     "be computed for the ward at hand.")
    return "\n".join(["## Known flaws of the data, and what was done about them", "",
                      *(f"- {line}" for line in lines)])


def _shares(found: list[dict]) -> str:
    for card in found:
        kinds = [(card["data"].get(side) or {}).get("kinds") for side in ("training", "validation")]
        if all(kinds):
            films = sum(sum(kind.values()) for kind in kinds)
            normal = sum(kind.get("normal", 0) for kind in kinds)
            text = f"{(films - normal) / films:.1%} of the {films:,} train films"
            if test := card["metrics"].get("test"):
                text += f" and {test['positives'] / test['n']:.1%} of the {test['n']} test films"
            return text
    return ""


def failures_section(found: list[dict]) -> str:
    """Failures that the measurements show, a line each; "" when nothing was measured."""
    lines = [f"{card['architecture']['title']}: {line}" for card in found
             for line in _failures(card)]
    if not lines:
        return ""
    return "\n".join(["## Known failures", "", *(f"- {line}" for line in lines)])


def _failures(card: dict) -> Iterable[str]:
    metrics = card["metrics"]
    if test := metrics.get("test"):
        wrong, well = test["confusion"]["false_positive"], test["n"] - test["positives"]
        yield (
            f"of {well} normal test films it calls {wrong} pneumonia, of {test['positives']} "
            f"pneumonias it misses {test['confusion']['false_negative']}."
        )
    yield from _broken_promises(card)
    if rows := metrics.get("corruptions"):
        for key in ("sensitivity", "specificity"):
            worst = min(rows[1:], key=lambda row: row[key], default=rows[0])
            if rows[0][key] - worst[key] > 0.02:
                yield (
                    f"its {key} falls from {number(rows[0][key])} to {number(worst[key])} on "
                    f"validation films spoiled like this: {worst['corruption']}."
                )
    if adults := measured(card, "adults"):
        row = adults["rows"][0]
        yield (
            f"on adult films its AUC is {number(row['auc'])}, its specificity "
            f"{number(row['specificity'])}."
        )
    if not heat_tells_side(card):
        share = number(with_interval(measured(card, "lungs"), "heat_in_ill_half"))
        yield (
            "its heat does not tell which lung is affected: where one half of a film is a healthy "
            f"child's, {share} of the heat lies in the other half; chance gives 0.5."
        )
    if (lungs := measured(card, "lungs")) and lungs.get("auc_without_lungs") is not None:
        hidden = lungs["auc_without_lungs"]
        shown = number(with_interval(lungs, "auc_without_lungs"))
        yield f"with the lungs painted over its AUC is {shown}; " + (
            "what of that differs from 0.5, chance, it knows from elsewhere."
            if abs(hidden - 0.5) > 0.05 else
            "that is about chance, 0.5: beside the lungs it knows little of use."
        )


def _promised(point: dict, key: str) -> float:
    """What a threshold was chosen by: specificity is that of the harder series."""
    series = point.get("specificity_by_series") or {} if key == "specificity" else {}
    return min([point["validation"][key]["value"], *(one["value"] for one in series.values())])


def _broken_promises(card: dict) -> Iterable[str]:
    """What validation fixed and the test films refute: all of an interval lies below it."""
    for name, point in card["operating_points"].items():
        for key in ("sensitivity", "specificity"):
            test, promised = (point.get("test") or {}).get(key), _promised(point, key)
            if test and test["high"] < promised:
                yield (
                    f"at the operating point {name.replace('_', ' ')} its {key} was "
                    f"{number(promised)} on validation films"
                    + (" of the harder series" if promised < point["validation"][key]["value"]
                       else "") + f" and is {number(test)} on test films: "
                    "thresholds do not carry over unharmed even within one hospital."
                )
    band = card.get("uncertain") or {}
    for kind in ("normal", "pneumonia"):
        covered = (band.get("test") or {}).get(f"coverage_{kind}")
        promised = 1 - band.get("levels", {}).get(kind, 0)  # 1: a card that tells of none
        if covered and covered["high"] < promised < 1:
            yield (
                f"of {kind.upper()} test films {number(covered)} get their label or UNCERTAIN; its "
                f"prediction sets were made for {number(promised)}."
            )
