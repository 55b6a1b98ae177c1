"""The raw elements of a DICOM file that its picture needs, found within bounded time and memory."""

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.filereader import data_element_generator

from pneumo.imaging.film import MAX_BYTES, UnreadableFilm, check_bytes

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
NATIVE = frozenset({IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN})

# The only tags that are kept; everything about the patient, the place and the time is skipped.
TAGS = {
    "modality": 0x00080060,
    "view": 0x00185101,
    "samples": 0x00280002,
    "photometric": 0x00280004,
    "planar": 0x00280006,
    "frames": 0x00280008,
    "rows": 0x00280010,
    "columns": 0x00280011,
    "allocated": 0x00280100,
    "stored": 0x00280101,
    "high_bit": 0x00280102,
    "signed": 0x00280103,
    "padding": 0x00280120,
    "padding_limit": 0x00280121,
    "centre": 0x00281050,
    "width": 0x00281051,
    "function": 0x00281056,
    "intercept": 0x00281052,
    "slope": 0x00281053,
    "modality_lut": 0x00283000,
    "voi_lut": 0x00283010,
    "red": 0x00281101,
    "green": 0x00281102,
    "blue": 0x00281103,
    "red_data": 0x00281201,
    "green_data": 0x00281202,
    "blue_data": 0x00281203,
    "overlay_bit": 0x60000102,
    "pixels": 0x7FE00010,
}
LUT_DESCRIPTOR, LUT_DATA = 0x00283002, 0x00283006

DAMAGED = (
    "This DICOM file is damaged or incomplete and cannot be read. Please export the film again."
)
Elements = dict[str, RawDataElement | DataElement]

_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_VRS = _LONG_VRS | frozenset(
    b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split()
)
_MAX_READS = 200_000


def looks_like_dicom(data: bytes) -> bool:
    """Whether a file's contents begin as a DICOM file does, with a preamble or without."""
    if data[128:132] == b"DICM":
        return data[132:134] in (b"\x02\0", b"\x08\0", b"\0\x08")
    return _bare_syntax(data, 0) is not None or (data[:2] == b"\x02\0" and data[4:6] in _VRS)


def read_elements(data: bytes) -> tuple[str, bool, Elements]:
    """The elements named in ``TAGS``, up to the picture's own.

    Args:
        data: The whole file, for which ``looks_like_dicom`` holds.

    Returns:
        The transfer syntax, whether numbers are little-endian, and the raw elements by their name.

    Raises:
        UnreadableFilm: Damaged, too many parts, or inflating to more than the largest file.
    """
    start = 132 if data[128:132] == b"DICM" else 0
    syntax, start = _file_meta(data, start)
    if syntax == DEFLATED:
        data, start = _inflate(data[start:]), 0
    found = _bare_syntax(data, start)
    syntax = syntax or found
    if syntax is None:
        raise UnreadableFilm(DAMAGED)
    # Some writers declare one way of spelling the elements and use the other: what is seen counts.
    little = found != BIG_ENDIAN if found else syntax != BIG_ENDIAN
    implicit = found == IMPLICIT if found else syntax == IMPLICIT
    return syntax, little, dict(_elements(data, start, implicit, little))


def _file_meta(data: bytes, at: int) -> tuple[str | None, int]:
    """The transfer syntax that the file's group 2 declares (None without), and where it ends."""
    syntax = None
    while data[at : at + 2] == b"\x02\0":
        try:
            element, vr, length = struct.unpack_from("<H2sH", data, at + 2)
            at += 8
            if vr in _LONG_VRS:
                (length,) = struct.unpack_from("<I", data, at)
                at += 4
        except struct.error:
            raise UnreadableFilm(DAMAGED) from None
        if element == 0x0010:
            syntax = data[at : at + length].decode("ascii", "replace").strip(" \0")
        at += length
    return syntax, at


def _bare_syntax(data: bytes, at: int) -> str | None:
    """The uncompressed syntax in which a data set seems to start at ``at``, or None.

    A data set starts with group 8 (or, in the oldest files, with its length in element 0).
    """
    start = data[at : at + 8]
    if len(start) < 8:
        return None
    for order, syntax in (("<", EXPLICIT), (">", BIG_ENDIAN)):
        group, element = struct.unpack_from(order + "HH", start)
        if group != 0x0008 or element > 0x2200:
            continue
        if start[4:6] in _VRS:
            return syntax
        if order == "<" and struct.unpack_from("<I", start, 4)[0] <= 0x4000:
            return IMPLICIT
    return None


def _inflate(packed: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflater.decompress(packed, MAX_BYTES + 1)
    except zlib.error:
        raise UnreadableFilm(DAMAGED) from None
    check_bytes(len(data))
    return data


class BoundedReads(io.BytesIO):
    """A file in memory that can be read only so often: no nesting or shredding takes long."""

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        if self.reads > _MAX_READS:
            raise UnreadableFilm(
                "This DICOM file has more parts than are read. Please export the film alone.",
                "refused",
            )
        return super().read(size)


def _elements(
    data: bytes, start: int, implicit: bool, little: bool
) -> Iterator[tuple[str, RawDataElement | DataElement]]:
    names = {tag: name for name, tag in TAGS.items()}
    stream = BoundedReads(data)
    stream.seek(start)
    for element in data_element_generator(
        stream, implicit, little, specific_tags=list(TAGS.values())
    ):
        if element.tag in names:
            yield names[element.tag], element
        if element.tag >= TAGS["pixels"]:
            return


def text(element: RawDataElement | DataElement | None) -> list[str]:
    """The words of a text element, none where it is missing."""
    if element is None or not isinstance(element.value, bytes):
        return []
    words = element.value[:1024].decode("ascii", "replace").split("\\")
    return [word.strip(" \0") for word in words]


def decimals(element: RawDataElement | DataElement | None) -> list[float]:
    """The finite numbers that a text element begins with."""
    numbers = []
    for word in text(element):
        try:
            number = float(word)
        except ValueError:
            break
        if not np.isfinite(number):
            break
        numbers.append(number)
    return numbers


def integers(element: RawDataElement | DataElement | None, little: bool) -> list[int]:
    """An element's whole numbers, stored as 16-bit words or (number of frames) as text."""
    if element is None or not isinstance(element.value, bytes):
        return []
    if element.tag == TAGS["frames"]:
        return [int(number) for number in decimals(element)]
    return words(element.value, little).tolist()


def words(value: bytes, little: bool) -> np.ndarray:
    """16-bit unsigned numbers of a raw value, as int32."""
    usable = value[: len(value) // 2 * 2]
    return np.frombuffer(usable, "<u2" if little else ">u2").astype(np.int32)
