"""An experiment: a radiograph is changed by hand, and what the networks say of it follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from pneumo.data.composites import composite
from pneumo.imaging.opacity import insert_opacity
from pneumo.imaging.radiograph import Radiograph
from pneumo.reading.reader import Reading
from pneumo.ui.examples import Example
from pneumo.ui.pictures import fitted, hottest, lung_outlines
from pneumo.ui.results import judged, percent
from pneumo.ui.schemas import Invalid, Request
from pneumo.ui.store import ImageStore, StoredImage
from pneumo.ui.texts import text
from pneumo.ui.viewer import answered, results_for, stored_image

# The longest side: more than any network sees, and quick to change and to send.
SIDE = 512
# Regions that the hottest one is compared with.
RANDOM_REGIONS = 8
# Smallest, largest and resting value of each slider of the page, and its step.
SLIDERS = {
    "blur": (0.0, 3.0, 0.0, 0.1),  # standard deviation, % of the longest side
    "sharpen": (0.0, 5.0, 0.0, 0.1),
    "jpeg": (1.0, 100.0, 100.0, 1.0),
    "contrast": (0.2, 3.0, 1.0, 0.05),
    "rotate": (-45.0, 45.0, 0.0, 1.0),
    "cover": (0.02, 0.25, 0.1, 0.01),  # radius of a covered region, share of the longest side
    "size": (0.03, 0.25, 0.1, 0.01),  # radius of the opacity, the same
    "density": (0.05, 1.0, 0.8, 0.05),
}
MOST_COVERS = 20


def vary(store: ImageStore, cases: Sequence[Example], data: object) -> dict:
    """The viewer's answer about a case, file or token, changed as the fields' "changes" say.

    Changes hold a value for any slider, and mirror, marker, covers (pairs x, y), opacity (x, y),
    swap (a case) and left (whether its left hemithorax is taken). `truth` outlines an opacity, and
    `base` is the token of the image unchanged.
    """

    def work(request: Request) -> dict:
        image = stored_image(store, cases, request)
        if image is None:
            raise Invalid("image", text("failure.nofile"))
        changes = _changes(data)
        pixels, truth = _changed(store, cases, image, changes, request)
        changed = StoredImage("", Radiograph(pixels, image.radiograph.source), 0.0, 0.0)
        outlines = lung_outlines(truth, truth.shape) if truth.any() else []
        return {**results_for(store, changed, request), "base": image.token, "truth": outlines}

    return answered(data, work)


def compare(store: ImageStore, cases: Sequence[Example], data: object) -> dict:
    """Whether a map is to be believed: its hottest region covered against random ones.

    Gives rows, one a network: title, before, hottest, random (percentages) and verdict.
    """

    def work(request: Request) -> dict:
        image = stored_image(store, cases, request)
        if image is None:
            raise Invalid("image", text("failure.nofile"))
        changes = _changes(data)
        pixels, _ = _changed(store, cases, image, changes, request)
        radius = _value(changes, "cover")
        rows = [_comparison(store, pixels, radius, model, request) for model in request.models]
        return {"status": "ok", "rows": rows, "base": image.token}

    return answered(data, work)


def _comparison(
    store: ImageStore, pixels: np.ndarray, radius: float, model: str, request: Request
) -> dict:
    card = store.reader(model).card

    def read(pixels: np.ndarray) -> Reading:
        one = StoredImage("", Radiograph(pixels, ""), 0.0, 0.0)
        reading = store.read(one, model, request.visit, request.turn, check=False)
        return judged(reading, card, request.choice)

    def without(place: Sequence[float]) -> float:
        return read(_covered(pixels, [place], radius)).probability or 0.0

    reading = read(pixels)
    place = hottest(reading.evidence)
    row = {"title": card.title, "before": percent(reading.probability), "hottest": "–"}
    if place is None:
        return {**row, "random": "–", "verdict": text("experiment.nowhere")}
    hot = without(place)
    others = sorted(without(one) for one in _places(reading.lungs, place, radius))
    low, high = percent(others[0]), percent(others[-1])
    verdict = text("experiment.believe" if hot < others[0] else "experiment.doubt")
    spread = text("experiment.range", low=low, high=high)
    return {**row, "hottest": percent(hot), "random": spread, "verdict": verdict}


def _changes(data: object) -> dict:
    fields = getattr(data, "data", data)
    changes = fields.get("changes") if isinstance(fields, dict) else None
    return changes if isinstance(changes, dict) else {}


def _value(changes: dict, name: str) -> float:
    """A slider's value, held to its range; the resting one for what is no number."""
    low, high, rest, _ = SLIDERS[name]
    value = changes.get(name, rest)
    return min(high, max(low, float(value))) if type(value) in (int, float) else rest


def _point(value: object) -> tuple[float, float] | None:
    """A place on the image, x and y from 0 to 1; None for anything else."""
    if isinstance(value, list) and len(value) == 2 and all(type(v) in (int, float) for v in value):
        return (min(1.0, max(0.0, value[0])), min(1.0, max(0.0, value[1])))
    return None


def _changed(
    store: ImageStore, cases: Sequence[Example], image: StoredImage, changes: dict, request: Request
) -> tuple[np.ndarray, np.ndarray]:
    """The pixels with all changes, uint8 (H, W), and where the opacity is seen, 0 or 255."""
    pixels = fitted(image.radiograph.pixels, SIDE)
    if isinstance(changes.get("swap"), int):
        pixels = _swapped(store, cases, image, pixels, changes, request)
    height, width = pixels.shape
    side, truth = max(pixels.shape), np.zeros_like(pixels)
    if place := _point(changes.get("opacity")):
        center, radius = (place[0] * width, place[1] * height), _value(changes, "size") * side
        # The same outline and texture for all sliders' values.
        rng = np.random.default_rng(0)
        pixels, seen = insert_opacity(pixels, center, radius, _value(changes, "density"), rng)
        truth = seen.astype(np.uint8) * 255
    covers = changes.get("covers")
    places = [_point(one) for one in covers[:MOST_COVERS]] if isinstance(covers, list) else []
    pixels = _covered(pixels, [one for one in places if one], _value(changes, "cover"))
    if changes.get("mirror") is True:
        pixels, truth = (np.ascontiguousarray(one[:, ::-1]) for one in (pixels, truth))
    if angle := _value(changes, "rotate"):
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), -angle, 1.0)
        pixels, truth = (cv2.warpAffine(one, turn, (width, height)) for one in (pixels, truth))
    if changes.get("marker") is True:
        corner = (round(0.85 * width), round(0.14 * height))
        pixels = pixels.copy()
        cv2.putText(pixels, "L", corner, 0, side / 200, 255, max(2, side // 90))
    if (contrast := _value(changes, "contrast")) != 1:
        grey = pixels.mean()
        pixels = np.clip((pixels - grey) * contrast + grey, 0, 255).astype(np.uint8)
    if blur := _value(changes, "blur"):
        pixels = cv2.GaussianBlur(pixels, (0, 0), blur * side / 100)
    if sharpen := _value(changes, "sharpen"):
        soft = cv2.GaussianBlur(pixels, (0, 0), side / 150)
        pixels = cv2.addWeighted(pixels, 1 + sharpen, soft, -sharpen, 0)
    if (quality := _value(changes, "jpeg")) < 100:
        packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, round(quality)])[1]
        pixels = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE))
    return pixels, truth


def _swapped(
    store: ImageStore, cases: Sequence[Example], image: StoredImage, pixels: np.ndarray,
    changes: dict, request: Request,
) -> np.ndarray:  # fmt: skip
    """The pixels with one hemithorax of another case, the patient's left if "left" is True."""
    asked = replace(request, token="", image=None, example=changes["swap"])
    other = stored_image(store, cases, asked)
    assert other is not None
    # The lungs are found on a square.
    square = (SIDE, SIDE)
    parts = []
    for one in (image, other):
        found = store.read(one, request.models[0], check=False).lungs
        if found is None or not found.any():
            raise Invalid("image", text("experiment.nolungs"))
        parts += [cv2.resize(one.radiograph.pixels, square, interpolation=cv2.INTER_AREA),
                  cv2.resize(found, square, interpolation=cv2.INTER_NEAREST)]  # fmt: skip
    # The patient's left is on the right of the image.
    own, lungs, others, their_lungs = parts
    left = changes.get("left") is True
    joined = composite(own, lungs, others, their_lungs, left)[0]
    return cv2.resize(joined, pixels.shape[::-1], interpolation=cv2.INTER_AREA)


def _covered(pixels: np.ndarray, places: Sequence[Sequence[float]], radius: float) -> np.ndarray:
    """The pixels with circles around places filled from their surroundings (Telea 2004)."""
    if not places:
        return pixels
    mask, (height, width) = np.zeros_like(pixels), pixels.shape
    for x, y in places:
        center = (round(x * width), round(y * height))
        cv2.circle(mask, center, round(radius * max(pixels.shape)), 255, -1)
    return cv2.inpaint(pixels, mask, 3, cv2.INPAINT_TELEA)


def _places(lungs: np.ndarray | None, hot: Sequence[float], radius: float) -> list[list[float]]:
    """Random places in the lungs, all over the image where there are none, beside the hottest."""
    field = np.ones((64, 64), np.uint8) if lungs is None or not lungs.any() else lungs
    found = (np.argwhere(field)[:, ::-1] + 0.5) / field.shape[::-1]
    apart = found[np.hypot(*(found - hot).T) >= 2 * radius]
    rng = np.random.default_rng(0)
    return rng.choice(apart if len(apart) else found, RANDOM_REGIONS).tolist()
