"""How measures are named and printed: in the model card, the app and the command line alike."""

from pneumo.models.card import Estimate, PolicyMeasures

# Attribute of a measurement -> its words.
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
# Those that the card has no room for.
LOCALIZATION_DETAILS = {
    "boxes_share": "boxes, evidence inside",
    "opacities_peak_right_upper": "opacities in the right upper zone, strongest point inside",
    "opacities_peak_right_middle": "opacities in the right middle zone, strongest point inside",
    "opacities_peak_right_lower": "opacities in the right lower zone, strongest point inside",
    "opacities_peak_left_upper": "opacities in the left upper zone, strongest point inside",
    "opacities_peak_left_middle": "opacities in the left middle zone, strongest point inside",
    "opacities_peak_left_lower": "opacities in the left lower zone, strongest point inside",
}
POLICY = {
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "false_negatives": "missed",
    "false_positives": "false alarms",
    "indeterminate": "indeterminate",
    "ppv": "PPV",
    "npv": "NPV",
}


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


def policy_cells(measured: PolicyMeasures) -> list[str]:
    """A policy's measures in the order of `POLICY`."""
    return [percent(getattr(measured, name)) for name in POLICY]
