"""Evidence maps over a radiograph: upsampling, colour layer, contours, legend, PNG bytes."""

import cv2
import numpy as np

FOR, AGAINST = "for", "against"

# Both maps are perceptually uniform and safe for colour-blind eyes (Smith & van der Walt 2015).
# Their black ends are left out: black would look like air and not like evidence.
_TABLES = {FOR: (cv2.COLORMAP_INFERNO, 0.30, 0.97), AGAINST: (cv2.COLORMAP_VIRIDIS, 0.15, 0.80)}

# Share of the scale at which the colour has become opaque; below, it fades out smoothly.
_OPAQUE = 0.35


def upsample(evidence: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Evidence, float (h, w), at every pixel of a radiograph, (H, W), by monotone cubics.

    They never overshoot the cells' values, so that no evidence appears that the network did not
    give (Fritsch & Butland 1984). A ValueError unless the evidence is finite and two-dimensional.
    """
    evidence = np.asarray(evidence, dtype=np.float32)
    if evidence.ndim != 2 or not evidence.size or not np.isfinite(evidence).all():
        raise ValueError("the evidence must be a finite array of rows and columns")
    tall = _along_rows(evidence, shape[0])
    return np.ascontiguousarray(_along_rows(tall.T, shape[1]).T)


def colour_layer(
    evidence: np.ndarray, shape: tuple[int, int], scale: float, sign: str = FOR
) -> np.ndarray:
    """The evidence of one sign, float (h, w), as uint8 RGBA (H, W, 4), clear where there is none.

    Colours end at `scale`, above 0; alpha is not multiplied into them.
    """
    strength = _strength(evidence, shape, scale, sign)
    layer = np.empty((*strength.shape, 4), dtype=np.uint8)
    layer[..., :3] = colour_table(sign)[np.rint(strength * 255).astype(np.uint8)]
    t = np.clip(strength / _OPAQUE, 0.0, 1.0)
    layer[..., 3] = np.rint(255 * t * t * (3 - 2 * t))
    return layer


def blend(pixels: np.ndarray, layer: np.ndarray, opacity: float = 0.6) -> np.ndarray:
    """A radiograph, uint8 (H, W), under its `colour_layer`: uint8 RGB, (H, W, 3).

    An opacity of 0 shows the radiograph alone, 1 the whole layer.
    """
    weight = layer[..., 3:].astype(np.float32) * np.float32(opacity / 255)
    grey = pixels[..., None].astype(np.float32)
    return np.rint(grey + weight * (layer[..., :3] - grey)).astype(np.uint8)


def contours(
    evidence: np.ndarray, shape: tuple[int, int], level: float, sign: str = FOR
) -> list[np.ndarray]:
    """Closed lines around the evidence of at least `level`, which is positive for either sign.

    Each is float32 (N, 2), x then y in pixels of the radiograph.
    """
    inside = (_strength(evidence, shape, level, sign) >= 1.0).astype(np.uint8)
    # One empty pixel around, so that a line also closes along the edge of the radiograph.
    framed = np.pad(inside, 1)
    lines, _ = cv2.findContours(framed, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return [line.reshape(-1, 2).astype(np.float32) - 0.5 for line in lines if len(line) > 2]


def colour_table(sign: str = FOR) -> np.ndarray:
    """The 256 colours of a sign from weak to strong: uint8 RGB, (256, 3)."""
    number, first, last = _TABLES[sign]
    ramp = np.rint(np.linspace(first, last, 256) * 255).astype(np.uint8)[:, None]
    return cv2.applyColorMap(ramp, number)[:, 0, ::-1]


def encode_png(array: np.ndarray, *, fast: bool = False) -> bytes:
    """PNG bytes of pixels alone: uint8, grey (H, W), RGB (H, W, 3) or RGBA (H, W, 4).

    `fast` takes a fifth of the time and makes a somewhat larger file.
    """
    if array.ndim == 3:
        orders = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
        array = cv2.cvtColor(array, orders[array.shape[2]])
    flags = [cv2.IMWRITE_PNG_COMPRESSION, 1 if fast else 6]
    return cv2.imencode(".png", array, flags)[1].tobytes()


def _strength(evidence: np.ndarray, shape: tuple[int, int], scale: float, sign: str) -> np.ndarray:
    """Evidence of one sign as a share of the scale: float32 (H, W), 0 to 1."""
    signed = upsample(evidence, shape) * (1 if sign == FOR else -1)
    return np.clip(signed / np.float32(scale), 0.0, 1.0)


def _along_rows(values: np.ndarray, length: int) -> np.ndarray:
    """Monotone cubic interpolation down the first axis: float32 (n, m) to (length, m)."""
    n = len(values)
    if n == 1:
        return np.repeat(values, length, axis=0)
    step = np.diff(values, axis=0)
    slope = np.zeros_like(values)
    product = step[:-1] * step[1:]
    total = step[:-1] + step[1:]
    # Harmonic mean where both neighbours rise or fall together, level at a peak or a trough.
    np.divide(2 * product, total, out=slope[1:-1], where=product > 0)
    place = np.clip((np.arange(length) + 0.5) * n / length - 0.5, 0, n - 1)
    left = np.minimum(place.astype(int), n - 2)
    t = (place - left).astype(np.float32)[:, None]
    curve = values[left] + step[left] * (t * t * (3 - 2 * t))
    curve += slope[left] * (t * (1 - t) ** 2) - slope[left + 1] * (t * t * (1 - t))
    # Rounding alone could leave the bounds; "no positive evidence" must stay exactly none.
    ends = values[left], values[left + 1]
    return np.clip(curve, np.minimum(*ends), np.maximum(*ends))
