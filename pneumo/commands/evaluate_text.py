"""What `python -m pneumo evaluate` prints, for people to read in a terminal."""

from __future__ import annotations

MEASURES = ("accuracy", "sensitivity", "specificity", "auc", "brier", "ece")
LUNGS = {
    "heat_in_lungs": "heat in lungs", "peak_in_lung": "peak in a lung", "auc": "AUC",
    "auc_only_lungs": "AUC, only lungs", "auc_without_lungs": "AUC, lungs painted over",
}


def interval(measure: dict | None) -> str:
    """Value and 95 % interval; a dash where there is none."""
    if not measure:
        return "-"
    return f"{measure['value']:.4f} ({measure['low']:.4f}-{measure['high']:.4f})"


def lung_lines(results: list[dict]) -> str:
    """The lung measures as text, a row a network."""
    lines = [
        f"{results[0]['n']} validation films with drawn lungs, "
        f"{results[0]['lung_area']:.0%} of the picture; heat of true positives; painted over is "
        f"where some film has lung, {results[0]['painted']:.0%}",
        f"{'':12}" + "".join(f"{head:26}" for head in LUNGS.values()),
    ]
    for result in results:
        lines.append(f"{result['model']:12}" + "".join(f"{result[k]:<26.3f}" for k in LUNGS))
    for result in results:
        lines.append(
            f"{result['model']:12}lungs painted over in all {result['everyone']} validation films: "
            f"AUC {result['auc_without_lungs_everyone']:.3f}; heat in the ill half of films of two "
            f"halves {result.get('heat_in_ill_half', float('nan')):.3f}"
        )
    return "\n".join(lines) + "\n"


def shortcut_lines(name: str, result: dict) -> str:
    """The evidence on the sharpness shortcut as text."""
    lines = [
        f"{name} on {result['n']} validation films: AUC {result['auc']:.4f}; of sharpness alone "
        f"{result['auc_sharpness']:.4f}",
        f"{'':20}{'films':8}{'pneumonia':12}{'AUC':26}AUC of sharpness alone",
    ]
    for row in result["strata"]:
        alone = "-" if row["auc_sharpness"] is None else f"{row['auc_sharpness']:.4f}"
        lines.append(f"{row['stratum']:20}{row['n']:<8}{row['positives']:<12}"
                     f"{interval(row['auc']):26}{alone}")
    again = result["recompressed"]
    lines.append(f"recompressed to {again['bytes_per_pixel']:.2f} bytes per pixel (median JPEG "
                 f"quality {again['quality']:.0f}), before -> after:")
    for key in ("auc", "sensitivity", "specificity"):
        lines.append(f"{key:20}{again['before'][key]:.4f} -> {again['after'][key]:.4f}")
    lines.append(f"{'JPEG quality':20}{'mean change':14}{'95th percentile':18}decisions flipped")
    for row in result["jpeg"]:
        lines.append(f"{row['quality']:<20}{row['mean_change']:<14.4f}{row['change_95']:<18.4f}"
                     f"{row['flipped']:.4f}")
    return "\n".join(lines) + "\n"


def adult_lines(name: str, result: dict) -> str:
    """Scores on adult films as text, a row a view."""
    lines = [
        f"{name} on adult films ({result['source']}; labels read from reports by a program; "
        f"trained on {result['trained_on']} films of other patients), threshold "
        f"{result['threshold']:.3f}; the view alone has AUC {result['auc_view_alone']:.3f}",
        f"{'view':8}{'films':8}{'pneumonia':12}{'AUC':26}{'sensitivity':26}specificity",
    ]
    for row in result["rows"]:
        lines.append(
            f"{row['view']:8}{row['n']:<8}{row['positives']:<12}{interval(row['auc']):26}"
            f"{interval(row['sensitivity']):26}{interval(row['specificity'])}"
        )
    return "\n".join(lines) + "\n"


def table(result: dict) -> str:
    """One network's scores as text: value and 95 % interval, all films and distinct ones."""
    both = (result["all"], result["distinct"])
    heads = [f"{s['n']} {name}" for s, name in zip(both, ("films", "distinct"), strict=True)]
    lines = [
        f"{result['model']} on {result['split']} (weights {result['weights_sha256'][:12]}, "
        f"threshold {both[0]['threshold']:.3f}, bootstrap 95 % intervals)",
        f"{'':16}{heads[0]:26}{heads[1]}",
    ]
    for name in MEASURES:
        cells = [interval(s[name]) for s in both]
        lines.append(f"{name:16}{cells[0]:26}{cells[1]}")
    for name in both[0]["confusion"]:
        cells = [
            f"{s['confusion'][name]} ({s['confusion_intervals'][name]['low']:.0f}-"
            f"{s['confusion_intervals'][name]['high']:.0f})"
            for s in both
        ]
        lines.append(f"{name:16}{cells[0]:26}{cells[1]}")
    for kind, value in result["sensitivity_by_kind"].items():
        lines.append(f"sensitivity, {kind}: {interval(value['sensitivity'])} of {value['n']}")
    for name, value in result["specificity_by_series"].items():
        lines.append(f"specificity, series {name}: {interval(value)} of {value['n']}")
    lines += [f"not read: {u['path']}: {u['reason']}" for u in result["unread"]]
    return "\n".join(lines) + "\n"
