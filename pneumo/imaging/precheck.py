"""Limits of size, and what an image file declares, checked before a decoder opens it.

Every tile, page, chunk and marker that a file declares costs a decoder far more time than bytes.
"""

import struct
from collections.abc import Callable

from pneumo.imaging.messages import UnreadableImage

# 8,000 x 8,000 fits, also with 16 bits or three colours a pixel; 100 megapixels do not.
MAX_PIXELS = 80_000_000
MAX_SIDE = 30_000
MAX_BYTES = 200 * 1024 * 1024
# 8,000 x 8,000 with four bytes a pixel fits.
MAX_UNPACKED = 256 * 1024 * 1024
# Tiles and strips of a TIFF, pixel chunks of a PNG. 8 kB chunks, which libpng writes, fit.
MAX_PARTS = 40_000
# Other chunks of a PNG, segments of a JPEG before its pixels, fill bytes between them.
MAX_EXTRAS = 1_000
# Every scan of a progressive JPEG is a pass over the whole image.
MAX_SCAN_PIXELS = 1_000_000_000

# How a file begins -> Pillow's name of its format.
SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"BM": "BMP",
}
_OTHERS = (
    (b"%PDF", "PDF"),
    (b"GIF8", "GIF"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1f\x8b", "GZIP"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
)
_JPEG_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_TIFF_SHORT, _TIFF_LONG = 3, 4
# Bytes, text and undefined values, which a reader copies; it makes an object of every other value.
_TIFF_BYTES = frozenset({1, 2, 6, 7})
_TIFF_OFFSETS_AND_COUNTS = frozenset({273, 279, 324, 325})
# The longest table that a TIFF needs besides those: three colours of 16 bits.
_TIFF_LONGEST = 3 * 65536


def kind_of(data: bytes) -> str:
    """DICOM, PNG, JPEG, TIFF, BMP or WEBP, by a file's contents; UnreadableImage if none."""
    # First, because a DICOM file may begin with anything, also with another format's signature.
    if looks_like_dicom(data):
        return "DICOM"
    for signature, kind in SIGNATURES.items():
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    kind = next((name for start, name in _OTHERS if data.startswith(start)), "")
    if data[4:8] == b"ftyp":
        kind = "HEIC/AVIF/MP4"
    raise UnreadableImage("format", kind=kind) if kind else UnreadableImage("unknown")


def looks_like_dicom(data: bytes) -> bool:
    """Whether a file's contents begin as a DICOM file does, with a preamble or without."""
    if data[128:132] == b"DICM":
        return data[132:134] in (b"\x02\0", b"\x08\0", b"\0\x08")
    # An element of group 2 or 8, its type in two letters or (little-endian) left out.
    group, element, letters, length = data[:2], data[2:4], data[4:6], data[4:8]
    explicit = letters.isalpha() and letters.isupper()
    if group == b"\x02\0":
        return explicit
    if group == b"\0\x08":
        return explicit and element <= b"\x22\0"
    implicit = len(length) == 4 and int.from_bytes(length, "little") <= 0x4000
    return group == b"\x08\0" and element[1:2] <= b"\x22" and (explicit or implicit)


def check_bytes(count: int) -> None:
    """Refuse a file of more than `MAX_BYTES` bytes."""
    if count > MAX_BYTES:
        raise UnreadableImage("bytes", "refused", limit=MAX_BYTES // 1024**2)


def check_size(width: int, height: int) -> None:
    """Refuse an image by its declared size in pixels, before any of it is decoded."""
    if width < 1 or height < 1:
        raise UnreadableImage("no_pixels")
    if width > MAX_SIDE or height > MAX_SIDE:
        raise UnreadableImage("side", "refused", width=width, height=height, limit=MAX_SIDE)
    if width * height > MAX_PIXELS:
        limit = MAX_PIXELS // 1_000_000
        raise UnreadableImage("pixels", "refused", width=width, height=height, limit=limit)


def check_unpacked(count: int) -> None:
    """Refuse an image by the bytes that its pixels take up once decoded, before they are."""
    if count > MAX_UNPACKED:
        size, limit = count // 1024**2, MAX_UNPACKED // 1024**2
        raise UnreadableImage("unpacked", "refused", size=size, limit=limit)


def check_picture(data: bytes, kind: str) -> None:
    """Check what a picture file of a kind, such as ``"PNG"``, declares; errors: UnreadableImage."""
    try:
        CHECKS[kind](data)
    except (struct.error, IndexError):
        raise UnreadableImage("damaged", kind=kind) from None


def _check_png(data: bytes) -> None:
    check_size(*struct.unpack_from(">II", data, 16))
    at, pixels, extras = 8, 0, 0
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        at += 12 + length
        if at > len(data):
            # OpenCV makes room for whatever length is declared.
            raise UnreadableImage("damaged", kind="PNG")
        pixels += kind == b"IDAT"
        extras += kind != b"IDAT"
        if pixels > MAX_PARTS or extras > MAX_EXTRAS:
            raise UnreadableImage("parts", "refused", kind="PNG")
        if kind == b"IEND":
            return


def _check_jpeg(data: bytes) -> None:
    at, segments, filling = 2, 0, 0
    size = (0, 0)
    while True:
        if data[at] != 0xFF or data[at + 1] in (0x00, 0xFF):
            # Bytes that fill the room between two segments; decoders take them one by one.
            at, filling = at + 1, filling + 1
        else:
            marker, segments = data[at + 1], segments + 1
            if marker == 0xDA:
                break
            if marker in _JPEG_FRAMES:
                height, width = struct.unpack_from(">HH", data, at + 5)
                check_size(width, height)
                size = (width, height)
            at += 2
            if marker != 0x01 and not 0xD0 <= marker <= 0xD8:
                at += struct.unpack_from(">H", data, at)[0]
        if segments > MAX_EXTRAS or filling > MAX_EXTRAS:
            raise UnreadableImage("parts", "refused", kind="JPEG")
    scans = data.count(b"\xff\xda")
    if scans > 4 and scans * size[0] * size[1] > MAX_SCAN_PIXELS:
        raise UnreadableImage("parts", "refused", kind="JPEG")


def _check_tiff(data: bytes) -> None:
    order = "<" if data[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    end = start + 2 + 12 * count
    # Pages may share their pixels, and a chain of them may be endless: only one is read.
    if struct.unpack_from(order + "I", data, end)[0]:
        raise UnreadableImage("frames", "refused", kind="TIFF")
    tags: dict[int, tuple[int, int, int]] = {}
    for at in range(start + 2, end, 12):
        tag, kind, values, value = struct.unpack_from(order + "HHII", data, at)
        if kind == _TIFF_SHORT:
            (value,) = struct.unpack_from(order + "H", data, at + 8)
        if tag in tags:
            raise UnreadableImage("damaged", kind="TIFF")
        tags[tag] = kind, values, value

    def number(tag: int, default: int) -> int:
        """The value of a tag that has one, stored in the entry itself."""
        kind, values, value = tags.get(tag, (_TIFF_LONG, 1, default))
        return value if kind in (_TIFF_SHORT, _TIFF_LONG) and values == 1 else default

    width, height = number(256, 0), number(257, 0)
    check_size(width, height)
    tile_width, tile_height = number(322, width), number(323, min(number(278, height), height))
    check_size(tile_width, tile_height)
    parts = -(-width // tile_width) * -(-height // tile_height)
    if number(284, 1) == 2:
        parts *= number(277, 1)
    for tag, (kind, values, _) in tags.items():
        most = parts if tag in _TIFF_OFFSETS_AND_COUNTS else _TIFF_LONGEST
        if (kind not in _TIFF_BYTES and values > most) or parts > MAX_PARTS:
            raise UnreadableImage("parts", "refused", kind="TIFF")


def _check_bmp(data: bytes) -> None:
    (header,) = struct.unpack_from("<I", data, 14)
    if header == 12:
        check_size(*struct.unpack_from("<HH", data, 18))
        return
    width, height = struct.unpack_from("<ii", data, 18)
    check_size(abs(width), abs(height))
    # Pillow unpacks RLE in Python, and a few bytes can skip over thousands of lines.
    if struct.unpack_from("<I", data, 30)[0] in (1, 2):
        raise UnreadableImage("run_length", "refused")


def _check_webp(data: bytes) -> None:
    chunk = data[12:16]
    if chunk == b"VP8X":
        check_size(*(1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27)))
    elif chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        check_size(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    elif chunk == b"VP8 ":
        check_size(*(side & 0x3FFF for side in struct.unpack_from("<HH", data, 26)))


# Format -> what looks at the size and the parts that a file declares.
CHECKS: dict[str, Callable[[bytes], None]] = {
    "PNG": _check_png,
    "JPEG": _check_jpeg,
    "TIFF": _check_tiff,
    "BMP": _check_bmp,
    "WEBP": _check_webp,
}
