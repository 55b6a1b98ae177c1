"""Model card: does the network read the lungs, and what remains on other films than its own."""

from __future__ import annotations

from pneumo.models.checkpoint import with_interval
from pneumo.reporting.card_markdown import measured, number, section, table

RATES = ("auc", "sensitivity", "specificity")
LUNGS = {
    "heat_in_lungs": "heat inside the lungs, true positives",
    "peak_in_lung": "hottest point in a lung",
    "auc_only_lungs": "AUC, all but the lungs painted grey",
    "auc_without_lungs": "AUC, lungs painted over",
}


def evidence_sections(card: dict) -> list[str]:
    """Evidence in the lungs, the shortcut, spoiled films and adults; those that were measured."""
    makers = {"lungs": _lungs, "shortcut": _shortcut, "corruptions": _corruptions,
              "adults": _adults}
    return [make(found) for key, make in makers.items() if (found := measured(card, key))]


def _lungs(found: dict) -> str:
    films = f"On {found['n']} validation films with drawn lungs"
    if "true_positives" in found:
        films += (f" ({found['pneumonias']} pneumonias, {found['true_positives']} of them called "
                  "so), which also chose recipe and seed")
    painted = (
        f"Painted over is the same field in all films, wherever one film in fifty has lung: "
        f"{found['painted']:.0%} of the picture, the heart with it. " if "painted" in found else ""
    )
    if "everyone" in found:  # that field can be painted without a film's own mask
        painted += (
            f"On all {found['everyone']} validation films the AUC is then "
            f"{number(with_interval(found, 'auc_without_lungs_everyone'))}. "
        )
    boxed = (
        "Where instead the boxes around each film's own lungs are painted over, the AUC is "
        f"{number(with_interval(found, 'auc_boxed_lungs'))}; but the boxes' size alone, without "
        f"any network, has {number(found['auc_box_size'])} there."
        if "auc_boxed_lungs" in found else ""
    )
    sides = (
        "Does the heat tell the side? The left half of each of these pneumonias was joined with "
        "the right half of a normal film, and the other way about: of "
        f"{found['two_halves']} such films it calls {found['halves_called'][0]} and "
        f"{found['halves_called'][1]} pneumonia, and "
        f"{number(with_interval(found, 'heat_in_ill_half'))} of their heat, as the "
        "mean of both ways, lies in the half with pneumonia. Chance, or heat that lies in the same "
        "place whatever a film shows, gives 0.5."
        if "heat_in_ill_half" in found else ""
    )
    return section(
        "Evidence in the lungs",
        f"{films}. The first two measures say where the heat lies; the last two say whether the "
        "answer needs the lungs, and falls to chance (0.5) without them. An AUC below 0.5 knows "
        "as much as one that far above it.",
        table(list(LUNGS.values()), [[number(with_interval(found, key)) for key in LUNGS]]),
        painted + boxed,
        sides,
    )


def _shortcut(found: dict) -> str:
    again = found["recompressed"]
    strata = [
        [row["stratum"], str(row["n"]), str(row["positives"]), number(row["auc"]),
         number(row["auc_sharpness"])]
        for row in found["strata"]
    ]
    rates = [[name, *(number(again[when][name]) for when in ("before", "after"))]
             for name in RATES]
    jpeg = [
        [str(row["quality"]), number(row["mean_change"]), number(row["change_95"]),
         f"{row['flipped']:.1%}"]
        for row in found["jpeg"]
    ]
    return section(
        "Is sharpness a shortcut?",
        f"On the {found['n']} validation films, sharpness alone (variance of the Laplacian, less "
        f"is called pneumonia) has an AUC of {number(found['auc_sharpness'])}, the network one of "
        f"{number(found['auc'])}. Among films that are about equally sharp:",
        table(["films", "n", "pneumonia", "AUC of the network", "AUC of sharpness alone"], strata),
        "A dash: fewer than ten films of a class.",
        f"Every film compressed anew to about {again['bytes_per_pixel']:.2f} bytes per pixel "
        f"(median JPEG quality {again['quality']:.0f}), at the balanced operating point:",
        table(["", "before", "after"], rates),
        "What JPEG compression alone does to the probability:",
        table(["JPEG quality", "mean change", "95th percentile", "decisions flipped"], jpeg),
    )


def _corruptions(rows: list[dict]) -> str:
    return section(
        "Spoiled films",
        f"The {rows[0]['n']} validation films, each spoiled in the same way, at the balanced "
        "operating point. Inverted grey is noticed and undone before the network sees it.",
        table(["films", "AUC", "sensitivity", "specificity"],
              [[row["corruption"], *(number(row[key]) for key in RATES)] for row in rows]),
    )


def _seen(found: dict) -> str:
    if not found.get("trained_on"):
        return "Nothing was trained or chosen on them."
    return (
        f"{found['trained_on']} films of other patients of that hospital were trained on. Whether "
        "and how many was decided by people who had seen the AUC of earlier networks on these "
        "films: it flatters a little."
    )


def _adults(found: dict) -> str:
    rows = [
        [row["view"], str(row["n"]), str(row["positives"]), *(number(row[key]) for key in RATES)]
        for row in found["rows"]
    ]
    return section(
        "Adults of another hospital",
        f"Films of {found['rows'][0]['patients']} adults ({found['source']}; NIH Clinical Center), "
        "at the balanced operating point. " + _seen(found) + " Their labels were read from reports "
        "by a program and are often wrong, so no reader could score 1 here. The view alone, PA "
        f"taken for pneumonia, has an AUC of {number(found.get('auc_view_alone'))} in them; the "
        "rows of one view are free of that.",
        table(["view", "n", "pneumonia", "AUC", "sensitivity", "specificity"], rows),
    )
