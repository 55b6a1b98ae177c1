"""Files that are two things at once, bombs inside sound files, and thousands of files in a row."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pneumo.imaging import film as limits
from pneumo.imaging.overlay import encode_png
from pneumo.imaging.phantom import phantom
from pneumo.imaging.radiograph import UnreadableFilm, read_radiograph
from tests.imaging.files import deep_png, dicom, dicom_bytes, picture

FILM = phantom(9, size=128)[0][:120]
OTHER = phantom(4, size=96)[0]
SCRIPT = b"<script>alert('DOE')</script>"


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableFilm) as caught:
        read_radiograph(data)
    return caught.value.sentence


def zipped(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def with_chunk(png: bytes, kind: bytes, content: bytes) -> bytes:
    """The PNG with one more chunk behind its header."""
    checked = kind + content
    chunk = struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
    return png[:33] + chunk + png[33:]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
def test_a_dicom_film_that_begins_like_a_picture_is_the_dicom_film(kind: str) -> None:
    # The standard leaves the first 128 bytes free: TIFF and DICOM in one file are even usual.
    data = picture(OTHER, kind)[:128].ljust(128, b"\0") + dicom_bytes(dicom(FILM))[128:]
    np.testing.assert_array_equal(read_radiograph(data).pixels, FILM)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
def test_what_hangs_on_a_picture_is_not_read_and_goes_nowhere(kind: str) -> None:
    data = picture(FILM, kind)
    expected = read_radiograph(data).pixels
    for tail in (zipped("film.png", picture(OTHER, "PNG")), picture(OTHER, "PNG"),
                 dicom_bytes(dicom(OTHER)), SCRIPT, b"%PDF-1.7\n" + SCRIPT):
        read = read_radiograph(data + tail)
        np.testing.assert_array_equal(read.pixels, expected)
        shown = encode_png(read.pixels)
        assert b"script" not in shown and b"PDF" not in shown and tail[-64:] not in shown


def test_a_document_or_archive_that_holds_a_film_is_refused_by_name() -> None:
    film = picture(FILM, "PNG")
    for start, word in ((b"%PDF-1.7\n", "PDF"), (b"GIF89a/*", "GIF"), (b"\x1f\x8b\x08", "archive")):
        assert word in refusal(start + film)
    assert "ZIP" in refusal(zipped("film.png", film))
    assert "ZIP" in refusal(zipped("inner.zip", zipped("bomb", b"\0" * 10_000_000)))
    for start in (SCRIPT, b"<svg xmlns='http://www.w3.org/'>", b"#!/bin/sh\n", b"P5 9 9 255\n",
                  b"%!PS-Adobe-3.0 EPSF-3.0\n", b"8BPS\0\1", b"\0\0\1\0\1\0"):
        assert "are read" in refusal(start + film)


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_bomb_in_a_pngs_text_is_not_unpacked(kind: bytes) -> None:
    resource = pytest.importorskip("resource", reason="this system does not tell peak memory")
    packer, zeros = zlib.compressobj(1), b"\0" * (1 << 20)
    bomb = b"".join(packer.compress(zeros) for _ in range(200)) + packer.flush()
    middle = {b"zTXt": b"DOE\0\0", b"iTXt": b"DOE\0\1\0\0\0", b"iCCP": b"DOE\0\0"}[kind]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        read = read_radiograph(with_chunk(picture(FILM, "PNG"), kind, middle + bomb))
        np.testing.assert_array_equal(read.pixels, FILM)
    except UnreadableFilm as error:
        assert "DOE" not in error.sentence
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 << 10


def declared(kind: str, side: int) -> bytes:
    """A small picture file whose header declares a square of this side."""
    data = bytearray(picture(FILM, kind))
    if kind == "PNG":
        data[16:24] = struct.pack(">II", side, side)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    elif kind == "BMP":
        data[18:26] = struct.pack("<ii", side, -side)
    elif kind == "JPEG":
        at = data.index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", side, side)
    else:
        flags = struct.pack("<I", 0) + (side - 1).to_bytes(3, "little") * 2
        data[12:12] = b"VP8X" + struct.pack("<I", 10) + flags
        data[4:8] = struct.pack("<I", len(data) - 8)
    return bytes(data)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "JPEG", "WEBP"])
def test_a_declared_size_is_refused_before_any_decoder_sees_it(kind: str, monkeypatch) -> None:
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("it was decoded"))
    assert "9,999 x 9,999" in refusal(declared(kind, 9_999))


def test_a_tiffs_tiles_are_held_to_the_limit() -> None:
    entries = ((256, 4, 64), (257, 4, 64), (258, 3, 8), (259, 3, 1), (262, 3, 1), (277, 3, 1),
               (322, 4, 20_000), (323, 4, 20_000), (324, 4, 8), (325, 4, 64))
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    data = b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + b"\0" * 4 + b"\x80" * 5000
    assert "20,000 x 20,000" in refusal(data)


def test_the_same_limits_hold_inside_dicom(monkeypatch) -> None:
    monkeypatch.setattr(limits, "MAX_PIXELS", FILM.size - 1)
    for data in (dicom_bytes(dicom(FILM)), picture(FILM, "PNG"), picture(FILM, "TIFF")):
        assert "megapixels" in refusal(data)


def test_what_pixels_unpack_to_is_held_to_its_limit(monkeypatch) -> None:
    deep = FILM.astype(np.uint16) * 257
    colour = np.dstack([deep, deep, deep])
    files = {  # bytes a pixel, once unpacked
        "16-bit colour PNG": (6, deep_png(colour)),
        "16-bit grey PNG": (2, deep_png(deep)),
        "WebP": (3, picture(Image.fromarray(FILM).convert("RGB"), "WEBP")),
        "float TIFF": (4, picture(FILM.astype(np.float32), "TIFF")),
        "palette": (1, picture(Image.fromarray(FILM).convert("P"), "PNG")),
        "DICOM": (2, dicom_bytes(dicom(deep))),
    }
    for name, (depth, data) in files.items():
        monkeypatch.setattr(limits, "MAX_UNPACKED", depth * FILM.size)
        assert read_radiograph(data).pixels.shape == FILM.shape, name
        monkeypatch.setattr(limits, "MAX_UNPACKED", depth * FILM.size - 1)
        assert "unpacks to" in refusal(data), name


def test_sixteen_bit_colour_of_a_big_film_is_refused_before_any_decoder_sees_it() -> None:
    header = struct.pack(">IIBBBBB", 8000, 8000, 16, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
        for part in (b"IHDR" + header, b"IDAT" + zlib.compress(b"\0" * 1000), b"IEND")
    )
    assert "366 MB" in refusal(bomb) and "256 MB" in refusal(bomb)


def test_thousands_of_files_in_a_row_leave_nothing_open(tmp_path) -> None:
    sound = picture(FILM, "PNG")
    kinds = (sound, sound[:90], b"", dicom_bytes(dicom(FILM))[:700], SCRIPT, picture(FILM, "TIFF"))
    places = [tmp_path / f"{number}.png" for number in range(len(kinds))]
    for place, content in zip(places, kinds, strict=True):
        place.write_bytes(content)
    handles = Path("/proc/self/fd")
    before = len(os.listdir(handles)) if handles.is_dir() else 0
    read = 0
    for number in range(3000):
        try:
            read += read_radiograph(places[number % len(places)]).pixels.shape == FILM.shape
        except UnreadableFilm as error:
            assert error.sentence.endswith(".")
    assert read == 1000
    assert not handles.is_dir() or len(os.listdir(handles)) <= before + 2
