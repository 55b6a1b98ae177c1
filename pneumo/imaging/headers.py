"""The size a picture file declares, read from its first bytes, before any decoder sees it."""

import struct
from dataclasses import dataclass


def picture_size(data: bytes, kind: str) -> tuple[int, int] | None:
    """Width and height that the header of a PNG, JPEG, BMP or WebP declares.

    Args:
        data: The whole file.
        kind: ``"PNG"``, ``"JPEG"``, ``"BMP"``, ``"WEBP"`` (anything else gives None).

    Returns:
        Pixels, or None where the header does not say or is cut short.
    """
    readers = {"PNG": _png_size, "JPEG": _jpeg_size, "BMP": _bmp_size, "WEBP": _webp_size}
    if kind not in readers:
        return None
    try:
        return readers[kind](data)
    except (struct.error, IndexError):
        return None


def _png_size(data: bytes) -> tuple[int, int]:
    return struct.unpack_from(">II", data, 16)


def bare_png(data: bytes) -> bytes | None:
    """A PNG reduced to its header and its pixels, None where its parts do not fit into the file.

    What is left declares no length that is not there, no second frame and no text, so that a
    decoder which believes such declarations can be given it.
    """
    view, at = memoryview(data), 8
    parts = [view[:8]]
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            return None
        kind = data[at + 4 : at + 8]
        if kind in (b"IHDR", b"IDAT", b"IEND"):
            parts.append(view[at:end])
        if kind == b"IEND":
            # A hundred megabytes are not copied for nothing.
            return data if sum(map(len, parts)) == len(data) else b"".join(parts)
        at = end
    return None


def _bmp_size(data: bytes) -> tuple[int, int]:
    if struct.unpack_from("<I", data, 14)[0] == 12:
        return struct.unpack_from("<HH", data, 18)
    width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)


def _webp_size(data: bytes) -> tuple[int, int] | None:
    chunk = data[12:16]
    if chunk == b"VP8X":
        return (
            1 + int.from_bytes(data[24:27], "little"),
            1 + int.from_bytes(data[27:30], "little"),
        )
    if chunk == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    shape = jpeg_shape(data)
    return shape and (shape.width, shape.height)


@dataclass(frozen=True)
class StreamShape:
    """What a compressed picture stream declares: sides in pixels, colours, bits a value."""

    width: int
    height: int
    components: int
    bits: int
    signed: bool = False


def jpeg_shape(data: bytes) -> StreamShape | None:
    """The frame header of a JPEG, lossless JPEG or JPEG-LS stream, None where there is none."""
    at = 2
    while at + 10 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _FRAME_MARKERS:
            bits, height, width, components = struct.unpack_from(">BHHB", data, at + 4)
            return StreamShape(width, height, components, bits)
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    return None


def jpeg2000_levels(data: bytes) -> int:
    """How often a JPEG 2000 stream can be halved before it is decoded, 0 where it does not say."""
    start = data.find(b"\xff\x4f\xff\x51", 0, 4096)
    at = data.find(b"\xff\x52", start, start + 65536) if start >= 0 else -1
    return min(data[at + 9], 32) if 0 <= at < len(data) - 9 else 0


def jpeg2000_shape(data: bytes) -> StreamShape | None:
    """The size marker of a JPEG 2000 stream, bare or boxed, None where there is none."""
    start = data.find(b"\xff\x4f\xff\x51", 0, 4096)
    if start < 0 or len(data) < start + 43:
        return None
    right, bottom, left, top = struct.unpack_from(">IIII", data, start + 8)
    (components,) = struct.unpack_from(">H", data, start + 40)
    depth = data[start + 42]
    return StreamShape(
        right - left, bottom - top, components, (depth & 0x7F) + 1, signed=depth > 0x7F
    )


_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
