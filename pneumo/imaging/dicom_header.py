"""What a DICOM file says about its picture and how to show it, checked before any decoding."""

import io
from dataclasses import dataclass

import numpy as np
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.filereader import data_element_generator

from pneumo.imaging.dicom_elements import (
    DAMAGED,
    LUT_DATA,
    LUT_DESCRIPTOR,
    Elements,
    decimals,
    integers,
    read_elements,
    text,
    words,
)
from pneumo.imaging.film import UnreadableFilm, check_size, check_unpacked

# Text leaves the reader only as one of these words, never as the file spells it.
MODALITIES = frozenset(
    {
        "CR",
        "DX",
        "DR",
        "RG",
        "RF",
        "XA",
        "CT",
        "MR",
        "US",
        "NM",
        "PT",
        "MG",
        "PX",
        "IO",
        "OT",
        "SC",
        "XC",
    }
)
LATERAL_VIEWS = frozenset({"LL", "RL"})
PHOTOMETRICS = frozenset(
    {
        "MONOCHROME1",
        "MONOCHROME2",
        "RGB",
        "YBR_FULL",
        "YBR_FULL_422",
        "YBR_ICT",
        "YBR_RCT",
        "PALETTE COLOR",
    }
)
_MAX_TABLE_BYTES = 1 << 20


@dataclass(frozen=True, eq=False)
class LookupTable:
    """Grey levels by table: ``values[i]`` of ``bits`` bits is shown for the input ``first + i``."""

    first: int
    bits: int
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class Header:
    """One film's picture as its DICOM file stores it, and how that is meant to be shown.

    Attributes:
        syntax: Transfer syntax UID.
        little_endian: Order of the bytes in native pixels.
        rows: Height in pixels.
        columns: Width in pixels.
        samples: Values a pixel, 1 or 3.
        planar: 1 where the three colours are stored one after another, else 0.
        allocated: Bits that a value takes, 8, 16 or 32.
        stored: Bits of it that are used, 2 to 16.
        high_bit: The highest of the used bits.
        signed: Whether the values are in two's complement.
        photometric: One of ``PHOTOMETRICS`` or ``""``.
        modality: One of ``MODALITIES`` or ``""``.
        lateral: Whether the file declares a lateral view.
        slope: Factor from stored to modality values.
        intercept: Offset from stored to modality values.
        window: Centre, width and function of the first display window, in modality values.
        padding: Lowest and highest stored value that is no part of the film.
        overlays_in_pixels: Whether unused bits hold drawn overlays.
        modality_lut: Table from stored to modality values, instead of slope and intercept.
        voi_lut: Table from modality values to grey levels, instead of a window.
        palette: Red, green and blue tables of a palette picture.
        pixels: The raw value of PixelData.
        pixels_as_words: Whether native 8-bit pixels are stored in 16-bit words.
    """

    syntax: str
    little_endian: bool
    rows: int
    columns: int
    samples: int
    planar: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    photometric: str
    modality: str
    lateral: bool
    slope: float
    intercept: float
    window: tuple[float, float, str] | None
    padding: tuple[int, int] | None
    overlays_in_pixels: bool
    modality_lut: LookupTable | None
    voi_lut: LookupTable | None
    palette: tuple[LookupTable, ...]
    pixels: bytes
    pixels_as_words: bool


def read_header(data: bytes) -> Header:
    """Read what is needed to show a DICOM file's picture.

    Args:
        data: The whole file, for which ``dicom_elements.looks_like_dicom`` holds.

    Raises:
        UnreadableFilm: No single picture in it, over a limit, or damaged.
    """
    syntax, little, elements = read_elements(data)
    if "pixels" not in elements:
        raise UnreadableFilm(
            "This DICOM file holds no picture; it may be a report or a plan, or be cut short. "
            "Please choose the file of the film itself."
        )

    def number(name: str, default: int | None = None) -> int:
        numbers = integers(elements.get(name), little)
        if not numbers and default is None:
            raise UnreadableFilm(DAMAGED)
        return numbers[0] if numbers else default

    rows, columns, allocated = number("rows"), number("columns"), number("allocated")
    stored, samples = number("stored", allocated), number("samples", 1)
    _check_shape(rows, columns, number("frames", 1), samples, allocated, stored)
    photometric = _known(elements, "photometric", PHOTOMETRICS)
    signed = number("signed", 0) == 1
    pixels = elements["pixels"]
    return Header(
        syntax=syntax,
        little_endian=little,
        rows=rows,
        columns=columns,
        samples=samples,
        planar=number("planar", 0),
        allocated=allocated,
        stored=stored,
        high_bit=number("high_bit", stored - 1),
        signed=signed,
        photometric=photometric,
        modality=_known(elements, "modality", MODALITIES),
        lateral=bool(_known(elements, "view", LATERAL_VIEWS)),
        slope=(decimals(elements.get("slope")) or [1.0])[0] or 1.0,
        intercept=(decimals(elements.get("intercept")) or [0.0])[0],
        window=_window(elements),
        padding=_padding(elements, little, signed),
        overlays_in_pixels=number("overlay_bit", 0) > 0,
        modality_lut=_sequence_table(elements.get("modality_lut"), little, signed),
        voi_lut=_sequence_table(elements.get("voi_lut"), little, signed),
        palette=_palette(elements, little, signed) if photometric == "PALETTE COLOR" else (),
        pixels=pixels.value if isinstance(pixels.value, bytes) else b"",
        pixels_as_words=pixels.VR in (None, "OW"),
    )


def _check_shape(
    rows: int, columns: int, frames: int, samples: int, allocated: int, stored: int
) -> None:
    check_size(columns, rows)
    if frames > 1:
        raise UnreadableFilm(
            f"This DICOM file holds {frames:,} frames; one single film is read at a time.",
            "refused",
        )
    if allocated not in (8, 16, 32) or not 2 <= stored <= min(16, allocated):
        raise UnreadableFilm(
            f"This DICOM picture stores {stored} of {allocated} bits a value; 2 to 16 bits in 8, "
            "16 or 32 are read.",
            "refused",
        )
    if samples not in (1, 3):
        raise UnreadableFilm(
            f"This DICOM picture has {samples} values a pixel; 1 (grey) or 3 (colour) are read.",
            "refused",
        )
    check_unpacked(rows * columns * samples * allocated // 8)


def _known(elements: Elements, name: str, known: frozenset[str]) -> str:
    """The first word of a text element where it is one of the known ones, otherwise ''."""
    found = text(elements.get(name))
    return found[0] if found and found[0] in known else ""


def _window(elements: Elements) -> tuple[float, float, str] | None:
    centres, widths = decimals(elements.get("centre")), decimals(elements.get("width"))
    if not centres or not widths:
        return None
    function = (text(elements.get("function")) or [""])[0]
    function = function if function in ("SIGMOID", "LINEAR_EXACT") else "LINEAR"
    narrowest = 1.0 if function == "LINEAR" else 1e-6
    return (centres[0], widths[0], function) if widths[0] >= narrowest else None


def _padding(elements: Elements, little: bool, signed: bool) -> tuple[int, int] | None:
    value = integers(elements.get("padding"), little)
    if not value:
        return None
    limit = integers(elements.get("padding_limit"), little) or value
    ends = [_as_signed(v) if signed else v for v in (value[0], limit[0])]
    return min(ends), max(ends)


def _as_signed(value: int) -> int:
    return value - 65536 if value >= 32768 else value


def _sequence_table(
    element: RawDataElement | DataElement | None, little: bool, signed: bool
) -> LookupTable | None:
    """The table in the first item of a lookup-table sequence, None where there is none."""
    if element is None or not element.value:
        return None
    tags = (LUT_DESCRIPTOR, LUT_DATA)
    if not isinstance(element.value, bytes):
        item = element.value[0]
        found = [item.get_item(tag) if tag in item else None for tag in tags]
    elif len(element.value) <= _MAX_TABLE_BYTES:
        # A sequence of defined length is still raw: its first item follows an 8-byte item tag.
        item = data_element_generator(
            io.BytesIO(element.value[8:]),
            element.is_implicit_VR,
            little,
            specific_tags=list(tags),
        )
        by_tag = {int(inner.tag): inner for inner in item}
        found = [by_tag.get(tag) for tag in tags]
    else:
        return None
    return _table(found[0], found[1], little, signed)


def _palette(elements: Elements, little: bool, signed: bool) -> tuple[LookupTable, ...]:
    tables = [
        _table(elements.get(colour), elements.get(colour + "_data"), little, signed)
        for colour in ("red", "green", "blue")
    ]
    if None in tables:
        raise UnreadableFilm(DAMAGED)
    return tuple(tables)


def _table(
    descriptor: RawDataElement | DataElement | None,
    data: RawDataElement | DataElement | None,
    little: bool,
    signed: bool,
) -> LookupTable | None:
    numbers = integers(descriptor, little)
    if len(numbers) < 3 or data is None or not isinstance(data.value, bytes):
        return None
    count, first, bits = numbers[0] or 65536, numbers[1], numbers[2]
    if signed or descriptor.VR == "SS":
        first = _as_signed(first)
    if count <= len(data.value) < 2 * count:
        values = np.frombuffer(data.value[:count], np.uint8).astype(np.int32)
    else:
        values = words(data.value, little)[:count]
    return LookupTable(first, bits, values) if values.size and 1 <= bits <= 16 else None
