"""PNG, JPEG, TIFF, BMP and WebP files to 8-bit grey pixels."""

import io
import warnings

import cv2
import numpy as np
from PIL import Image

from pneumo.imaging.film import (
    MAX_PIXELS,
    Radiograph,
    UnreadableFilm,
    check_size,
    check_unpacked,
)
from pneumo.imaging.headers import bare_png, picture_size
from pneumo.imaging.scaling import scale_to_eight_bits

KINDS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
COLOUR_NOTE = "The picture is in colour and is read as grey."
# Every scan of a progressive JPEG is a pass over the whole picture: thousands would take minutes.
MAX_SCAN_PIXELS = 1_000_000_000
_ORIENTATION_TAG = 0x0112
_PHOTOMETRIC_TAG = 262
_BITS_TAG = 258
_TILE_TAGS = (322, 323)
_TIFF_ORIENTATION_TAG = 274
_SAMPLE_FORMAT_TAG = 339
# Deep grey that OpenCV gives out as it is stored: Pillow's mode, SampleFormat, numpy's type.
_DEEP_GREYS = {"I;16": (1, np.uint16), "I;16B": (1, np.uint16), "F": (3, np.float32)}
_FEW = 64
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
            f"This picture has more than the {MAX_PIXELS // 1_000_000} megapixels that are read. "
            "Please export the film smaller.",
            "refused",
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
            values = image.width * image.height * len(image.getbands())
            check_unpacked(values * -(-bits // 8))
            orientation = _orientation(image)
            source = f"{kind} {bits}-bit {_colour(image)}"
            deep_colour = bits == 16 and image.mode in ("RGB", "RGBA")
            deep = deep_grey_tiff(image, data) if kind == "TIFF" else None
            # OpenCV checks these itself; nothing else is left to one decoder's leniency.
            if deep is None and kind != "WEBP" and not (deep_colour and kind == "PNG"):
                image.load()
            if deep is not None:
                grey, coloured = scale_to_eight_bits(deep), False
            elif deep_colour:
                # Pillow keeps only its upper byte, which blackens 10 or 12 bits in 16.
                grey, coloured = _from_deep_colour(data)
            elif kind == "WEBP":
                grey, coloured = _from_loaded(_loaded_webp(data, image.size))
            else:
                grey, coloured = _from_loaded(image)
    if orientation in _UPRIGHT:
        grey = np.asarray(Image.fromarray(grey).transpose(_UPRIGHT[orientation]))
    notes = (COLOUR_NOTE,) if coloured else ()
    return Radiograph(np.require(grey, requirements=("C", "W")), source, notes)


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


def deep_grey_tiff(image: Image.Image, data: bytes) -> np.ndarray | None:
    """The values of a plain deep grey TIFF by OpenCV, None where it is none or is damaged.

    OpenCV unpacks LZW in a third of Pillow's time and makes no second copy of the picture. What
    the two could take differently (tiles, white as zero, turned pictures) stays with Pillow.
    """
    sample_format, kind = _DEEP_GREYS.get(image.mode, (None, None))
    tags = image.tag_v2
    plain = (
        kind is not None
        and tags.get(_PHOTOMETRIC_TAG) == 1
        and tags.get(_TIFF_ORIENTATION_TAG, 1) == 1
        and tags.get(_SAMPLE_FORMAT_TAG, (1,)) in (sample_format, (sample_format,))
        and _TILE_TAGS[0] not in tags
    )
    if not plain:
        return None
    try:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    # Pillow then says what is wrong with the file.
    fits = values is not None and (values.shape, values.dtype) == (image.size[::-1], kind)
    return values if fits else None


def _loaded_webp(data: bytes, size: tuple[int, int]) -> Image.Image:
    """A still WebP by OpenCV; Pillow's decoder, made for moving ones, takes twice the memory."""
    array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None or array.shape[1::-1] != size:
        raise ValueError("not what the header says")
    to_rgb = cv2.COLOR_BGRA2RGBA if array.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return Image.fromarray(cv2.cvtColor(array, to_rgb, dst=array))


def _from_loaded(image: Image.Image) -> tuple[np.ndarray, bool]:
    """Grey pixels (uint8) of a loaded picture, deep ones scaled, and whether it shows colour."""
    if image.mode.startswith(("I", "F")):
        grey = scale_to_eight_bits(np.asarray(image))
        white_is_zero = image.format == "TIFF" and image.tag_v2.get(_PHOTOMETRIC_TAG) == 0
        return 255 - grey if white_is_zero else grey, False
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")
    elif image.mode not in ("1", "L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    grey = image if image.mode == "L" else image.convert("L")
    if image.mode in ("LA", "RGBA"):
        alpha = image.getchannel("A")
        # Some exports leave the opacity at zero everywhere: then it says nothing.
        if alpha.getextrema()[1] > 0 and alpha.getextrema()[0] < 255:
            grey = Image.composite(grey, Image.new("L", grey.size, 0), alpha)
    few = image.resize((_FEW, _FEW), Image.Resampling.NEAREST)
    coloured = image.mode in ("RGB", "RGBA") and _is_coloured(np.asarray(few.convert("RGB")))
    return np.asarray(grey), coloured


def _from_deep_colour(data: bytes) -> tuple[np.ndarray, bool]:
    """16-bit colour, or grey with opacity, to grey with the weights that 8-bit colour gets."""
    # OpenCV allocates whatever length a part of a PNG declares.
    plain = bare_png(data) if data.startswith(b"\x89PNG") else data
    if plain is None:
        raise ValueError("a part of the file is missing")
    array = cv2.imdecode(np.frombuffer(plain, np.uint8), cv2.IMREAD_UNCHANGED)
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
    height, width = grey.shape
    few = array[:: -(-height // _FEW), :: -(-width // _FEW), :3]
    coloured = _is_coloured(scale_to_eight_bits(few.reshape(len(few), -1)).reshape(few.shape))
    del array
    return scale_to_eight_bits(grey), coloured


def _is_coloured(pixels: np.ndarray) -> bool:
    """Whether RGB pixels (uint8, height x width x 3) show colour, not grey in three channels."""
    spread = np.ptp(pixels.astype(np.int16), axis=2)
    return bool(np.mean(spread > 24) > 0.02)


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


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 where there is none; TIFF is turned by Pillow itself."""
    # Asking a PNG that holds none for it would decode the whole picture.
    if image.format == "TIFF" or (image.format == "PNG" and "exif" not in image.info):
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # Damaged EXIF is no reason to refuse a sound picture.
        return 1
