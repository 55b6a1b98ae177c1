"""PNG, JPEG, TIFF, BMP and WebP files to 8-bit grey pixels."""

import io
import warnings

import numpy as np
from PIL import Image

from pneumo.imaging.film import Radiograph, UnreadableFilm, check_size
from pneumo.imaging.headers import picture_size
from pneumo.imaging.scaling import scale_to_eight_bits

KINDS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
COLOUR_NOTE = "The picture is in colour and is read as grey."
# Every scan of a progressive JPEG is a pass over the whole picture: thousands would take minutes.
MAX_SCAN_PIXELS = 1_000_000_000
_ORIENTATION_TAG = 0x0112
_PHOTOMETRIC_TAG = 262
_BITS_TAG = 258
_TILE_TAGS = (322, 323)
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_picture(data: bytes, kind: str) -> Radiograph:
    """Decode one picture file.

    Args:
        data: The whole file.
        kind: Its format, one of ``KINDS``, found from its contents.

    Returns:
        The picture in grey, upright, with its greys as they are stored.

    Raises:
        UnreadableFilm: Damaged, over a limit, or more than one frame.
    """
    try:
        return _decode(data, kind)
    except UnreadableFilm:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnreadableFilm(
            "This picture has more pixels than are read. Please export the film smaller.", "refused"
        ) from None
    except MemoryError:
        raise UnreadableFilm("This picture needs more memory than there is.", "refused") from None
    except Exception:
        # Pillow and its codecs raise many kinds of exception on damaged files; their messages can
        # quote the file, so none is passed on.
        raise UnreadableFilm(
            f"This {kind} file is damaged or incomplete and cannot be decoded. "
            "Please export or copy the film again."
        ) from None


def _decode(data: bytes, kind: str) -> Radiograph:
    size = picture_size(data, kind)
    if size is not None:
        check_size(*size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(data), formats=(kind,)) as image:
            check_size(*image.size)
            _check_work(image, data, kind)
            bits = _bits(image, data, kind)
            orientation = _orientation(image)
            image.load()
            notes = (COLOUR_NOTE,) if _is_coloured(image) else ()
            source = f"{kind} {bits}-bit {_colour(image)}"
            grey = _grey(image, data, bits)
    if orientation in _UPRIGHT:
        grey = np.asarray(Image.fromarray(grey).transpose(_UPRIGHT[orientation]))
    return Radiograph(np.ascontiguousarray(grey), source, notes)


def _check_work(image: Image.Image, data: bytes, kind: str) -> None:
    """Refuse several frames, and pictures that take far more work than their size says."""
    # A phone's JPEG (MPO) carries further renderings of the same photograph after the first.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise UnreadableFilm(
            f"This {kind} file holds several frames; one single film is read at a time.", "refused"
        )
    if kind == "JPEG":
        check_scans(data, image.width * image.height)
    if kind == "TIFF" and _TILE_TAGS[0] in image.tag_v2:
        check_size(*(int(image.tag_v2.get(tag, 1)) for tag in _TILE_TAGS))


def check_scans(data: bytes, pixels: int) -> None:
    """Refuse a JPEG stream with so many scans that decoding it takes many times its size."""
    scans = data.count(b"\xff\xda")
    if scans > 4 and scans * pixels > MAX_SCAN_PIXELS:
        raise UnreadableFilm(
            "This JPEG is split into more scans than are read. Please save the film again.",
            "refused",
        )


def _grey(image: Image.Image, data: bytes, bits: int) -> np.ndarray:
    """Grey pixels (uint8) of a loaded picture, deep ones scaled by their contents."""
    if image.mode.startswith(("I", "F")):
        grey = scale_to_eight_bits(np.asarray(image))
        white_is_zero = image.format == "TIFF" and image.tag_v2.get(_PHOTOMETRIC_TAG) == 0
        return 255 - grey if white_is_zero else grey
    if bits == 16:
        # Pillow keeps the upper byte of deep colour only, which blackens 10 or 12 bits in 16.
        return _deep_colour(data)
    if image.mode == "P" or image.mode == "PA":
        image = image.convert("RGBA")
    elif image.mode not in ("1", "L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    grey = image if image.mode == "L" else image.convert("L")
    if image.mode in ("LA", "RGBA"):
        alpha = image.getchannel("A")
        # Some exports leave the opacity at zero everywhere: then it says nothing.
        if alpha.getextrema()[1] > 0 and alpha.getextrema()[0] < 255:
            grey = Image.composite(grey, Image.new("L", grey.size, 0), alpha)
    return np.asarray(grey)


def _deep_colour(data: bytes) -> np.ndarray:
    """16-bit colour or grey with opacity to grey, with the weights that 8-bit colour gets."""
    import cv2

    array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None or array.dtype != np.uint16:
        raise ValueError("not 16-bit colour")
    if array.ndim == 2:
        return scale_to_eight_bits(array)
    grey = cv2.cvtColor(np.ascontiguousarray(array[..., :3]), cv2.COLOR_BGR2GRAY)
    if array.shape[2] == 4 and (opacity := array[..., 3]).max() > 0 and opacity.min() < 65535:
        grey = (grey.astype(np.uint32) * opacity // 65535).astype(np.uint16)
    del array
    return scale_to_eight_bits(grey)


def _bits(image: Image.Image, data: bytes, kind: str) -> int:
    if kind == "PNG":
        return 8 if image.mode == "P" else data[24]
    if kind == "TIFF":
        stored = image.tag_v2.get(_BITS_TAG, 1)
        return int(stored[0] if isinstance(stored, tuple) else stored)
    return 1 if image.mode == "1" else 8


def _colour(image: Image.Image) -> str:
    if image.mode in ("P", "PA"):
        return "palette"
    return "grey" if image.mode in ("1", "L", "LA") or image.mode[0] in "IF" else "colour"


def _is_coloured(image: Image.Image) -> bool:
    """Whether the picture shows colour, and not just grey stored in three channels."""
    if image.mode in ("1", "L", "LA") or image.mode[0] in "IF":
        return False
    small = image.resize((64, 64), Image.Resampling.NEAREST).convert("RGB")
    channels = np.asarray(small).astype(np.int16)
    return bool(np.mean(np.ptp(channels, axis=2) > 24) > 0.02)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 where there is none; TIFF is turned by Pillow itself."""
    if image.format == "TIFF":
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # Damaged EXIF is no reason to refuse a sound picture.
        return 1
