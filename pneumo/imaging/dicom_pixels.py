"""The pixel values of a DICOM file, decompressed where needed, as they are stored."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels import convert_color_space, get_decoder
from pydicom.uid import UID, UID_dictionary

from pneumo.imaging.codec_worker import NO_GDCM, SIZE
from pneumo.imaging.dicom_elements import DAMAGED, NATIVE, BoundedReads
from pneumo.imaging.dicom_header import Header
from pneumo.imaging.film import UnreadableFilm
from pneumo.imaging.headers import (
    StreamShape,
    jpeg2000_levels,
    jpeg2000_shape,
    jpeg_shape,
)
from pneumo.imaging.pictures import check_scans

_UID = "1.2.840.10008.1.2."
BASELINE, EXTENDED = _UID + "4.50", _UID + "4.51"
LOSSLESS = frozenset({_UID + "4.57", _UID + "4.70"})
JPEG_LS = frozenset({_UID + "4.80", _UID + "4.81"})
JPEG_2000 = frozenset({_UID + "4.90", _UID + "4.91"})
RLE = _UID + "5"
_JPEG = LOSSLESS | JPEG_LS | {BASELINE, EXTENDED}
WORKER = Path(__file__).with_name("codec_worker.py")
# The worker has a limit of its own on computing time; this one holds also while it only waits.
WORKER_SECONDS = 60
TOO_LONG = (
    "This DICOM picture takes too long to decompress. Please export it uncompressed or as JPEG."
)
# JPEG 2000 takes about this long to decode: seconds a megabyte of the stream, and a megapixel.
_SECONDS_A_MEGABYTE, _SECONDS_A_MEGAPIXEL = 0.22, 0.03
SECONDS, MOST_SECONDS = 1.6, 6.0


def stored_values(header: Header) -> np.ndarray:
    """The picture's values before any windowing.

    Returns:
        Unsigned integers (signed values in two's complement), height x width, or height x width
        x 3 in RGB. Brightness only where colour is stored apart from it.

    Raises:
        UnreadableFilm: A compression that is not read (named), or damaged.
    """
    if header.syntax in NATIVE:
        return _native(header)
    if header.syntax not in _JPEG | JPEG_2000 | {RLE}:
        raise UnreadableFilm(_cannot_decode(header.syntax), "refused")
    frame = get_frame(BoundedReads(header.pixels), 0, number_of_frames=1)
    if header.syntax == RLE:
        if header.allocated * header.samples not in (8, 16, 24):
            # GDCM muddles the bytes of deep colour.
            raise UnreadableFilm(_cannot_decode(header.syntax), "refused")
        return _by_gdcm(header, frame, header.allocated)
    shape = jpeg2000_shape(frame) if header.syntax in JPEG_2000 else jpeg_shape(frame)
    _check_stream(header, frame, shape)
    if _is_for_pillow(header, shape):
        is_2000 = header.syntax in JPEG_2000
        return _jpeg_2000(header, frame, shape) if is_2000 else _by_pillow(header, frame)
    return _by_gdcm(header, frame, 8 if shape.bits <= 8 else 16, shape.bits)


def _cannot_decode(syntax: str) -> str:
    # Only a registered name is told: an unknown identifier could be anything.
    name = UID(syntax).name if syntax in UID_dictionary else "a private or unknown one"
    return (
        f"This DICOM picture is compressed in a way that is not read ({name}). "
        "Please export it uncompressed or as JPEG."
    )


def _native(header: Header) -> np.ndarray:
    """Uncompressed pixels, without a copy where the file's own order allows."""
    rows, columns, size = header.rows, header.columns, header.allocated // 8
    subsampled = header.photometric == "YBR_FULL_422" and header.samples == 3
    count = rows * columns * (2 if subsampled else header.samples)
    data = header.pixels
    if len(data) < count * size:
        raise UnreadableFilm(DAMAGED)
    if size == 1 and not header.little_endian and header.pixels_as_words:
        data = np.frombuffer(data[: len(data) // 2 * 2], np.uint16).byteswap().tobytes()
    order = "<" if header.little_endian else ">"
    values = np.frombuffer(data, f"{order}u{size}", min(count, len(data) // size))
    if values.size < count:
        raise UnreadableFilm(DAMAGED)
    spare = header.high_bit + 1 - header.stored
    if 0 < spare <= header.allocated - header.stored:
        values = values >> spare
    if subsampled:
        # Two brightnesses, then the two colours that they share.
        if count % 4:
            raise UnreadableFilm(DAMAGED)
        return values.reshape(-1, 4)[:, :2].reshape(rows, columns)
    return _arranged(values, header, header.planar)


def _arranged(values: np.ndarray, header: Header, planar: int) -> np.ndarray:
    shape = (header.rows, header.columns)
    if header.samples == 1:
        return values.reshape(shape)
    colours = values.reshape(3, *shape) if planar else values.reshape(*shape, 3)
    if header.photometric.startswith("YBR"):
        return colours[0] if planar else colours[..., 0]
    return np.moveaxis(colours, 0, -1) if planar else colours


def _check_stream(header: Header, frame: bytes, shape: StreamShape | None) -> None:
    """Hold the compressed stream to what the file declares, before anything is allocated for it."""
    if shape is None or not 2 <= shape.bits <= 16:
        raise UnreadableFilm(DAMAGED)
    declared = (header.columns, header.rows, header.samples)
    if (shape.width, shape.height, shape.components) != declared:
        raise UnreadableFilm(DAMAGED)
    if header.syntax in (BASELINE, EXTENDED):
        check_scans(frame, shape.width * shape.height)


def _is_for_pillow(header: Header, shape: StreamShape) -> bool:
    if header.syntax in JPEG_2000:
        return header.samples == 1 or shape.bits <= 8
    return header.syntax in (BASELINE, EXTENDED) and shape.bits <= 8


def jpeg_2000_seconds(size: int, values: int) -> float:
    """About how long a JPEG 2000 stream of so many bytes and values takes to decode."""
    return (size * _SECONDS_A_MEGABYTE + values * _SECONDS_A_MEGAPIXEL) / 1e6


def halvings_of(frame: bytes, shape: StreamShape) -> int:
    """How often a JPEG 2000 picture is halved so that it is decoded in time.

    The format holds the picture at several sizes, and decoding a smaller one skips most of the
    work.

    Raises:
        UnreadableFilm: Far too large, and without small enough sizes of itself.
    """
    pixels = shape.width * shape.height * shape.components
    seconds = jpeg_2000_seconds(len(frame), pixels)
    halvings, levels = 0, jpeg2000_levels(frame)
    while seconds > SECONDS and halvings < levels:
        halvings, seconds = halvings + 1, seconds / 4
    if seconds > MOST_SECONDS:
        limit = MOST_SECONDS / (_SECONDS_A_MEGABYTE + _SECONDS_A_MEGAPIXEL)
        raise UnreadableFilm(
            "This JPEG 2000 picture is stored at its full size only; in this way up to "
            f"{limit:.0f} megapixels are read. Please export it uncompressed.",
            "refused",
        )
    return halvings


def _jpeg_2000(header: Header, frame: bytes, shape: StreamShape) -> np.ndarray:
    """A JPEG 2000 picture, at a smaller size where the whole would take too long."""
    halvings = halvings_of(frame, shape)
    pixels = _worked(header, {"halvings": halvings}, frame)
    if len(pixels) < SIZE.size:
        raise UnreadableFilm(DAMAGED)
    columns, rows = SIZE.unpack(pixels[-SIZE.size :])
    share = 1 << halvings
    off = max(abs(rows - header.rows / share), abs(columns - header.columns / share))
    count, width = rows * columns * header.samples, 1 if shape.bits <= 8 else 2
    # Odd sides are rounded when they are halved.
    if off >= (1 if halvings else 1e-9) or len(pixels) != count * width + SIZE.size:
        raise UnreadableFilm(DAMAGED)
    values = np.frombuffer(pixels, f"<u{width}", count)
    values = _unraised(values, header, shape)
    declared = 1 << header.stored
    if halvings and not header.signed and declared <= values.max() < 1.5 * declared:
        # Wavelets overshoot at edges: that is not a deeper film than is declared.
        np.minimum(values, declared - 1, out=values)
    if header.samples == 1:
        return values.reshape(rows, columns)
    values = values.reshape(rows, columns, 3)
    if header.photometric.startswith("YBR_FULL"):
        return values[..., 0] if halvings else convert_color_space(values, "YBR_FULL", "RGB")
    return values


def _unraised(values: np.ndarray, header: Header, shape: StreamShape) -> np.ndarray:
    """The numbers that a JPEG 2000 stream holds, from the full-scale ones that Pillow gives out.

    Unsigned, or in two's complement where the file declares signed values; of the allocated width.
    """
    depth = values.itemsize * 8
    width = max(header.allocated, depth)
    values = values >> (depth - shape.bits)
    if not header.signed:
        return values.astype(f"u{width // 8}", copy=False)
    if shape.signed:
        values ^= 1 << (shape.bits - 1)
    values = values.astype(f"i{width // 8}")
    # Not every writer says that the values it packs are signed.
    if shape.signed or header.photometric in ("", "MONOCHROME1", "MONOCHROME2"):
        values <<= width - shape.bits
        values >>= width - shape.bits
    return values.view(f"u{width // 8}")


def _by_pillow(header: Header, frame: bytes) -> np.ndarray:
    values, _ = get_decoder(UID(header.syntax)).as_array(
        encapsulate([frame]),
        index=0,
        decoding_plugin="pillow",
        rows=header.rows,
        columns=header.columns,
        samples_per_pixel=header.samples,
        photometric_interpretation=header.photometric
        or ("MONOCHROME2" if header.samples == 1 else "RGB"),
        number_of_frames=1,
        bits_allocated=header.allocated,
        bits_stored=header.stored,
        pixel_representation=int(header.signed),
        planar_configuration=0,
        pixel_keyword="PixelData",
    )
    return values.view(f"u{values.dtype.itemsize}")


def _by_gdcm(header: Header, frame: bytes, allocated: int, stored: int = 0) -> np.ndarray:
    geometry = {
        "syntax": header.syntax,
        "rows": header.rows,
        "columns": header.columns,
        "samples": header.samples,
        "photometric": header.photometric or "MONOCHROME2",
        "allocated": allocated,
        "stored": stored or header.stored,
        "signed": int(header.signed),
        "planar": 0,
    }
    pixels = _worked(header, geometry, frame)
    count = header.rows * header.columns * header.samples
    if len(pixels) < count * allocated // 8:
        raise UnreadableFilm(DAMAGED)
    values = np.frombuffer(pixels, f"<u{allocated // 8}", count)
    return _arranged(values, header, geometry["planar"])


def _worked(header: Header, request: dict, frame: bytes) -> bytes:
    """What a process of its own decodes, because the decoder may crash on a hostile frame."""
    try:
        done = subprocess.run(
            [sys.executable, str(WORKER)],
            input=json.dumps(request).encode() + b"\n" + frame,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=WORKER_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnreadableFilm(TOO_LONG) from None
    if done.returncode == -getattr(signal, "SIGXCPU", 0) != 0:
        raise UnreadableFilm(TOO_LONG)
    if done.returncode == NO_GDCM:
        raise UnreadableFilm(_cannot_decode(header.syntax), "refused")
    if done.returncode:
        raise UnreadableFilm(DAMAGED)
    return done.stdout
