"""What the page needs of a model's card: points, curve, uncertain band, scale and legend."""

from __future__ import annotations

from dataclasses import asdict

from pneumo.imaging import overlay
from pneumo.models.checkpoint import CheckpointError, available_models, read_card
from pneumo.ui.pictures import CONTOUR_SHARE, DEFAULT_SCALE


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
        scale = heat_scale(card)
        signs = (overlay.FOR, overlay.AGAINST)
        return {
            "name": name,
            "title": str(card["architecture"].get("title") or name),
            "sha256": str(card["weights"].get("sha256", "")),
            "points": operating_points(card),
            "uncertain": card.get("uncertain"),
            "curve": card.get("curve"),
            "scale": scale,
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
