"""DICOM files to 8-bit grey pixels; nothing about the patient leaves this module."""

import warnings
from dataclasses import replace

import numpy as np
from PIL import Image

from pneumo.imaging.dicom_elements import DAMAGED
from pneumo.imaging.dicom_header import Header, read_header
from pneumo.imaging.dicom_pixels import stored_values
from pneumo.imaging.film import Radiograph, UnreadableFilm
from pneumo.imaging.pictures import COLOUR_NOTE
from pneumo.imaging.polarity import bones_bright, looks_inverted
from pneumo.imaging.windowing import show

LATERAL_NOTE = "The file declares a lateral view; the networks know frontal films only."
POLARITY_NOTE = (
    "The film looks inverted, but its file declares the greys as they are shown. "
    "Please check that its bones are bright."
)
REDUCED_NOTE = (
    "The film is so large a JPEG 2000 picture that it is read at one {share} of its width and "
    "height."
)
_SHARES = {2: "half", 4: "quarter", 8: "eighth"}


def read_dicom(data: bytes) -> Radiograph:
    """Decode the one film of a DICOM file.

    Args:
        data: The whole file, for which ``dicom_elements.looks_like_dicom`` holds.

    Returns:
        The film as the file asks for it to be shown. Its declared polarity is trusted; where none
        is declared the film is read with bones bright.

    Raises:
        UnreadableFilm: No single film in it, over a limit, a compression that is not read, or
            damaged.
    """
    try:
        with warnings.catch_warnings():
            # pydicom's warnings quote values of the file.
            warnings.simplefilter("ignore")
            return _decode(data)
    except UnreadableFilm:
        raise
    except MemoryError:
        raise UnreadableFilm("This picture needs more memory than there is.", "refused") from None
    except Exception:
        # pydicom and its codecs raise many kinds of exception on damaged files; their messages can
        # quote the file, so none is passed on.
        raise UnreadableFilm(DAMAGED) from None


def _decode(data: bytes) -> Radiograph:
    header = read_header(data)
    values = stored_values(header)
    header = replace(header, pixels=b"")
    notes: tuple[str, ...] = (LATERAL_NOTE,) if header.lateral else ()
    if values.shape[:2] != (header.rows, header.columns):
        share = _SHARES.get(round(header.rows / values.shape[0]), "small part")
        notes += (REDUCED_NOTE.format(share=share),)
    if header.palette or values.ndim == 3:
        colours = _through_palette(values, header) if header.palette else values
        pixels = _luma(colours, header.stored)
        pixels, polarity_notes = bones_bright(pixels)
        notes += (COLOUR_NOTE, *polarity_notes)
    else:
        pixels, window_notes = show(*_used_bits(values, header))
        notes += window_notes
        if not header.photometric.startswith("MONOCHROME"):
            pixels, polarity_notes = bones_bright(pixels)
            notes += polarity_notes
        elif looks_inverted(pixels):
            notes += (POLARITY_NOTE,)
    words = ("DICOM", header.modality, header.photometric)
    source = " ".join(word for word in words if word)
    return Radiograph(np.require(pixels, requirements=("C", "W")), source, notes)


def _used_bits(values: np.ndarray, header: Header) -> tuple[np.ndarray, Header, int]:
    """Codes of the declared bits alone, and how many bits they are."""
    bits = header.stored
    mask = (1 << bits) - 1
    largest = int(values.max())
    if largest > mask and not (header.signed or header.overlays_in_pixels) and largest < 65536:
        # Some writers declare fewer bits than they use; cutting them off would fold the greys.
        return values.astype(np.uint16), header, largest.bit_length()
    kind = np.uint8 if bits <= 8 else np.uint16
    if largest > mask:
        values = values & values.dtype.type(mask)
    return values.astype(kind, copy=False), header, bits


def _through_palette(values: np.ndarray, header: Header) -> np.ndarray:
    places = values.astype(np.int64)
    colours = [
        table.values[np.clip(places - table.first, 0, len(table.values) - 1)]
        for table in header.palette
    ]
    return np.stack([_to_bytes(colour, header.palette[0].bits) for colour in colours], axis=-1)


def _luma(colours: np.ndarray, bits: int) -> np.ndarray:
    """Grey of RGB with the weights that colour pictures get."""
    if colours.dtype != np.uint8:
        colours = _to_bytes(colours, bits)
    return np.asarray(Image.fromarray(np.ascontiguousarray(colours)).convert("L"))


def _to_bytes(values: np.ndarray, bits: int) -> np.ndarray:
    bits = max(bits, int(values.max()).bit_length())
    return (values >> max(bits - 8, 0)).astype(np.uint8)
