"""Where the evidence lies, in a radiologist's words: lung and zone, sides as the patient's."""

from dataclasses import dataclass

import cv2
import numpy as np

from pneumo.models.lungs import both_lungs

# The patient's right lung is on the image's left.
LUNGS = ("right", "left")
ZONES = ("upper", "middle", "lower")


@dataclass(frozen=True)
class ZoneShare:
    """Share of the radiograph's positive evidence that lies in one zone of one lung."""

    lung: str  # "right" or "left", of the patient
    zone: str  # "upper", "middle" or "lower" third of that lung's height
    share: float  # 0 to 1; the six add up to the share of the evidence that lies in the lungs


def zone_shares(evidence: np.ndarray, lungs: np.ndarray) -> tuple[ZoneShare, ...]:
    """Shares of the positive evidence, float32 (h, w), by lung and zone: right lung first, from top
    to bottom, and none at all unless both lungs are found.

    A cell counts for the zones that it covers in proportion to the covered area. `lungs`: uint8
    (S, S), 0 or 255, of the same radiograph, as `find_lungs` gives it.
    """
    sides = both_lungs(lungs[::2, ::2])  # finer than any evidence map all the same
    if sides is None:
        return ()
    parts = np.stack([part for field in sides for part in thirds(field)], axis=-1)
    # The mean over a cell's area is the share of the cell that lies in the zone.
    covered = cv2.resize(
        parts.astype(np.float32), evidence.shape[::-1], interpolation=cv2.INTER_AREA
    )
    positive = np.maximum(evidence, 0.0).astype(np.float64)
    shares = np.tensordot(positive, covered, 2) / (positive.sum() or 1.0)
    names = [(lung, zone) for lung in LUNGS for zone in ZONES]
    return tuple(ZoneShare(*one, float(share)) for one, share in zip(names, shares, strict=True))


def strongest_zone(shares: tuple[ZoneShare, ...]) -> str | None:
    """The zone with most evidence, such as "right lower"; None where there is none in any."""
    if not any(one.share for one in shares):
        return None
    most = max(shares, key=lambda one: one.share)
    return f"{most.lung} {most.zone}"


def thirds(field: np.ndarray) -> list[np.ndarray]:
    """A lung, bool (S, S), cut by thirds of its height, from top to bottom."""
    rows = np.flatnonzero(field.any(1))
    top, height = rows[0], rows[-1] + 1 - rows[0]
    place = (np.arange(len(field)) - top) * 3 // height
    return [field & (place == third)[:, None] for third in range(3)]
