"""Arrays and PIL images as the bytes of an image file, so that they go the way of every file."""

import io
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps

from pneumo.imaging.radiograph import UnreadableImage

# Modes that a PNG file holds as they are, with eight bits a channel or fewer.
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")
_SHAPES = "(H, W), (H, W, 3) RGB or (H, W, 4) RGBA"


def as_file(image: Any) -> tuple[bytes, str]:
    """A lossless file of an image in memory (PNG up to 16 bits, else TIFF of float32), and what it
    is, such as "array uint16".

    `image` is a PIL image, or an array, (H, W), (H, W, 3) RGB or (H, W, 4) RGBA, of integers,
    bools or floats: else a TypeError. UnreadableImage for a PIL image of a damaged file.
    """
    if isinstance(image, Image.Image):
        try:
            image.load()
            return _encode_picture(ImageOps.exif_transpose(image)), f"PIL image {image.mode}"
        except (OSError, SyntaxError, ValueError):
            raise UnreadableImage("damaged", kind="image") from None
    if not isinstance(image, np.ndarray):
        kind = type(image).__name__
        raise TypeError(f"A path, bytes, a PIL image or a numpy array is expected, not {kind}.")
    return _encode_array(image), f"array {image.dtype}"


def _encode_picture(image: Image.Image) -> bytes:
    if image.mode.startswith(("I", "F")):
        return _encode_array(np.asarray(image))
    stream = io.BytesIO()
    known = image if image.mode in _PNG_MODES else image.convert("RGB")
    known.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _encode_array(values: Any) -> bytes:
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    channels = 1 if values.ndim == 2 else values.shape[2] if values.ndim == 3 else 0
    if channels not in (1, 3, 4) or not values.size:
        raise TypeError(f"An array of shape {_SHAPES} is expected, not {values.shape}.")
    if values.dtype.kind not in "buif":
        raise TypeError(f"An array of integers, bools or floats is expected, not {values.dtype}.")
    if values.dtype.kind == "b":
        values = values * np.uint8(255)
    if values.dtype.kind in "ui" and values.min() >= 0 and values.max() < 2**16:
        deep = values.dtype.itemsize > 1 and values.max() > 255
        exact: Any = values.astype(np.uint16 if deep or values.dtype == np.uint16 else np.uint8)
        if channels > 1:
            swap = cv2.COLOR_RGB2BGR if channels == 3 else cv2.COLOR_RGBA2BGRA
            exact = cv2.cvtColor(exact, swap)
        return cv2.imencode(".png", exact, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
    grey: Any = values.astype(np.float32)
    if channels > 1:
        grey = cv2.cvtColor(np.ascontiguousarray(grey[..., :3]), cv2.COLOR_RGB2GRAY)
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "TIFF")
    return stream.getvalue()
