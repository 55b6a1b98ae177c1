"""PNG, JPEG, TIFF, BMP and WebP files to 8-bit grey pixels."""

import io
import warnings

import cv2
import numpy as np
from PIL import Image, ImageOps

from pneumo.imaging.messages import UnreadableImage
from pneumo.imaging.polarity import bones_bright
from pneumo.imaging.precheck import check_picture, check_size, check_unpacked
from pneumo.imaging.scaling import scale_to_eight_bits

_ORIENTATION_TAG, _BITS_TAG, _PHOTOMETRIC_TAG = 0x0112, 258, 262
_COLOR_PIXELS = 64


def decode_picture(data: bytes, kind: str) -> tuple[np.ndarray, str, list[str]]:
    """Decode one picture file of a kind: PNG, JPEG, TIFF, BMP or WEBP; returns as `worker.decode`.

    What is refused raises UnreadableImage; a damaged file may raise anything.
    """
    check_picture(data, kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data), formats=(kind,)) as image:
            check_size(*image.size)
            # A phone's JPEG (MPO) carries further renderings of the same photograph.
            if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
                raise UnreadableImage("frames", "refused", kind=kind)
            bits = _bits(image, data, kind)
            values = image.width * image.height * len(image.getbands())
            check_unpacked(values * -(-bits // 8))
            orientation = _orientation(image)
            source = f"{kind} {bits}-bit {_colour(image)}"
            if bits == 16 and image.mode in ("RGB", "RGBA"):
                # Pillow keeps only its upper byte, which blackens 10 or 12 bits in 16.
                grey, coloured = _decode_deep_colour(data)
            else:
                image.load()
                grey, coloured = _to_grey(image)
    if orientation != 1:
        turned = Image.fromarray(grey)
        turned.getexif()[_ORIENTATION_TAG] = orientation
        grey = np.asarray(ImageOps.exif_transpose(turned))
    pixels, inverted = bones_bright(grey)
    found = {"colour": coloured, "inverted": inverted}
    return pixels, source, [note for note, applies in found.items() if applies]


def _to_grey(image: Image.Image) -> tuple[np.ndarray, bool]:
    """Grey pixels (uint8) of a loaded picture, deep ones scaled, and whether it shows colour."""
    if image.mode.startswith(("I", "F")):
        grey = scale_to_eight_bits(np.asarray(image))
        tags = getattr(image, "tag_v2", {})
        return 255 - grey if tags.get(_PHOTOMETRIC_TAG) == 0 else grey, False
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")
    elif image.mode not in ("1", "L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    shown = image if image.mode == "L" else image.convert("L")
    if image.mode in ("LA", "RGBA"):
        alpha = image.getchannel("A")
        # Some exports leave the opacity at zero everywhere: then it says nothing.
        if alpha.getextrema() not in ((0, 0), (255, 255)):
            shown = Image.composite(shown, Image.new("L", shown.size, 0), alpha)
    few = image.resize((_COLOR_PIXELS, _COLOR_PIXELS), Image.Resampling.NEAREST)
    coloured = image.mode in ("RGB", "RGBA") and _is_coloured(np.asarray(few.convert("RGB")))
    return np.asarray(shown), coloured


def _decode_deep_colour(data: bytes) -> tuple[np.ndarray, bool]:
    """16-bit colour, or grey with opacity, to grey with the weights that 8-bit colour gets."""
    array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None or array.dtype != np.uint16:
        raise ValueError("not 16-bit colour")
    if array.ndim == 2:
        return scale_to_eight_bits(array), False
    with_opacity = array.shape[2] == 4
    grey = cv2.cvtColor(array, cv2.COLOR_BGRA2GRAY if with_opacity else cv2.COLOR_BGR2GRAY)
    if with_opacity:
        opacity = array[..., 3]
        if opacity.max() > 0 and opacity.min() < 65535:
            grey = (grey.astype(np.uint32) * opacity // 65535).astype(np.uint16)
    few = array[:: -(-len(grey) // _COLOR_PIXELS), :: -(-len(grey[0]) // _COLOR_PIXELS), :3]
    coloured = _is_coloured(scale_to_eight_bits(few.reshape(len(few), -1)).reshape(few.shape))
    return scale_to_eight_bits(grey), coloured


def _is_coloured(pixels: np.ndarray) -> bool:
    """Whether RGB pixels (uint8, (H, W, 3)) show colour, not grey in three channels."""
    spread = np.ptp(pixels.astype(np.int16), axis=2)
    return bool(np.mean(spread > 24) > 0.02)


def _bits(image: Image.Image, data: bytes, kind: str) -> int:
    if kind == "PNG":
        return 8 if image.mode == "P" else data[24]
    if kind == "TIFF":
        stored = getattr(image, "tag_v2", {}).get(_BITS_TAG, 1)
        return int(stored[0] if isinstance(stored, tuple) else stored)
    return 1 if image.mode == "1" else 8


def _colour(image: Image.Image) -> str:
    if image.mode in ("P", "PA"):
        return "palette"
    return "grey" if image.mode in ("1", "L", "LA") or image.mode[0] in "IF" else "colour"


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 where there is none; TIFF is turned by Pillow itself."""
    # Asking a PNG that holds none for it would decode the whole picture.
    if image.format == "TIFF" or (image.format == "PNG" and "exif" not in image.info):
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # Damaged EXIF is no reason to refuse a sound picture.
        return 1
