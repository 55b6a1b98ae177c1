"""What the page needs of a model's card: points, curve, uncertain band, scale and legend."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from pneumo.imaging import overlay
from pneumo.models.checkpoint import (
    CheckpointError,
    available_models,
    heat_tells_side,
    read_card,
)
from pneumo.reading.decision import band_of
from pneumo.ui.pictures import CONTOUR_SHARE, DEFAULT_SCALE
from pneumo.ui.texts import text


def heat_scale(card: dict) -> float:
    """The evidence at which a model's colours end, the same for all films."""
    scale = (card.get("heat") or {}).get("scale")
    return float(scale) if isinstance(scale, (int, float)) and scale > 0 else DEFAULT_SCALE


def operating_points(card: dict) -> list[dict]:
    """Name, threshold and measured sensitivity and specificity of each operating point.

    They are those on the official test set when it was scored, else those on validation.
    """
    points = []
    for name, point in card["operating_points"].items():
        split = next((s for s in ("test", "validation") if point.get(s)), "")
        measured = point.get(split) or {}
        points.append({
            "name": name,
            "threshold": float(point["threshold"]),
            "split": split,
            "sensitivity": measured.get("sensitivity"),
            "specificity": measured.get("specificity"),
        })
    return points


def page_card(name: str) -> dict:
    """A model's card as far as the page needs it; with "broken" instead when it is unusable."""
    try:
        card = read_card(name)
        scale, band = heat_scale(card), band_of(card)
        signs = (overlay.FOR, overlay.AGAINST)
        return {
            "name": name,
            "title": str(card["architecture"].get("title") or name),
            "sha256": str(card["weights"].get("sha256", "")),
            "points": operating_points(card),
            "uncertain": asdict(band) if band else None,
            "curve": card_curve(card)[0],
            "curve_split": card_curve(card)[1],
            "scale": scale,
            "tells_side": heat_tells_side(card),
            "contour": CONTOUR_SHARE * scale,
            "legend": {sign: asdict(overlay.legend(scale, sign)) for sign in signs},
        }
    except CheckpointError as error:
        return {"name": name, "title": name, "broken": str(error)}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {"name": name, "title": name, "broken": f"The card {name}.json is incomplete."}


def page_cards() -> list[dict]:
    """The cards of all models that have a checkpoint, in the order of their registration."""
    return [page_card(name) for name in available_models()]


def card_curve(card: dict) -> tuple[dict, str]:
    """Sensitivity and specificity at many thresholds, and whether on "test" or "validation"."""
    test = (card.get("metrics") or {}).get("test_curve")
    return (test, "test") if test else (card.get("curve") or {}, "validation")


def curve_point(card: dict, threshold: float) -> dict:
    """An own threshold as an operating point, its rates read off the stored curve."""
    curve, split = card_curve(card)
    places = curve.get("threshold") or []

    def rate(name: str) -> dict | None:
        if len(places) < 2:
            return None
        return {"value": float(np.interp(threshold, places, curve[name]))}

    return {
        "name": "own", "threshold": float(threshold), "split": split,
        "sensitivity": rate("sensitivity"), "specificity": rate("specificity"),
    }


def percent_words(value: float | None, digits: int = 1) -> str:
    """A probability as it is printed everywhere, never as certainty: 0.9996 is "> 99.9 %"."""
    if value is None:
        return "–"
    least = 10.0**-digits
    if value > 0 and 100 * value < least:
        return f"< {least:.{digits}f} %"
    if value < 1 and 100 * value > 100 - least:
        return f"> {100 - least:.{digits}f} %"
    return f"{100 * value:.{digits}f} %"


def rate_words(rate: dict | None) -> str:
    """A measured rate with its interval, as it is printed everywhere."""
    if not rate:
        return "–"
    value = f"{rate['value']:.2f}"
    if rate.get("low") is None:
        return value
    return text("rate.interval", value=value, low=f"{rate['low']:.2f}", high=f"{rate['high']:.2f}")
