"""Files that are two things at once, bombs inside sound files, and many files in a row."""

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

from pneumo.imaging import precheck as limits
from pneumo.imaging.overlay import encode_png
from pneumo.imaging.radiograph import UnreadableImage, read_radiograph
from pneumo.imaging.sandbox import Limits, Sandbox
from pneumo.imaging.worker import decode
from tests.unit.imaging.files import chest, deep_png, dicom, dicom_bytes, picture

IMAGE = chest(120, 128)
OTHER = chest(96, 96, seed=4)
SCRIPT = b"<script>alert('DOE')</script>"


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableImage) as caught:
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
def test_a_dicom_file_that_begins_like_a_picture_is_read_as_dicom(kind: str) -> None:
    # The standard leaves the first 128 bytes free: TIFF and DICOM in one file are even usual.
    data = picture(OTHER, kind)[:128].ljust(128, b"\0") + dicom_bytes(dicom(IMAGE))[128:]
    np.testing.assert_array_equal(read_radiograph(data).pixels, IMAGE)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
def test_what_hangs_on_a_picture_is_not_read_and_goes_nowhere(kind: str) -> None:
    data = picture(IMAGE, kind)
    expected = read_radiograph(data).pixels
    for tail in (
        zipped("image.png", picture(OTHER, "PNG")),
        picture(OTHER, "PNG"),
        dicom_bytes(dicom(OTHER)),
        SCRIPT,
        b"%PDF-1.7\n" + SCRIPT,
    ):
        read = read_radiograph(data + tail)
        np.testing.assert_array_equal(read.pixels, expected)
        shown = encode_png(read.pixels)
        assert b"script" not in shown and b"PDF" not in shown and tail[-64:] not in shown


def test_a_document_or_archive_that_holds_an_image_is_refused_by_name() -> None:
    image = picture(IMAGE, "PNG")
    for start, word in ((b"%PDF-1.7\n", "PDF"), (b"GIF89a/*", "GIF"), (b"\x1f\x8b\x08", "archive")):
        assert word in refusal(start + image)
    assert "ZIP" in refusal(zipped("image.png", image))
    assert "ZIP" in refusal(zipped("inner.zip", zipped("bomb", b"\0" * 10_000_000)))
    for start in (
        SCRIPT,
        b"<svg xmlns='http://www.w3.org/'>",
        b"#!/bin/sh\n",
        b"P5 9 9 255\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"8BPS\0\1",
        b"\0\0\1\0\1\0",
    ):
        assert "are read" in refusal(start + image)


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_bomb_in_a_pngs_text_is_not_unpacked(kind: bytes) -> None:
    packer, zeros = zlib.compressobj(1), b"\0" * (1 << 20)
    bomb = b"".join(packer.compress(zeros) for _ in range(100)) + packer.flush()
    middle = {b"zTXt": b"DOE\0\0", b"iTXt": b"DOE\0\1\0\0\0", b"iCCP": b"DOE\0\0"}[kind]
    box = Sandbox(1, Limits(memory=60 << 20))
    try:
        pixels, _, _ = box.decode(with_chunk(picture(IMAGE, "PNG"), kind, middle + bomb))
        np.testing.assert_array_equal(pixels, IMAGE)
    except UnreadableImage as error:
        assert "DOE" not in error.sentence and error.code != "memory"
    finally:
        box.close()


def declared(kind: str, side: int) -> bytes:
    """A small picture file whose header declares a square of this side."""
    data = bytearray(picture(IMAGE, kind))
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
    with pytest.raises(UnreadableImage, match="9,999 x 9,999"):
        decode(declared(kind, 9_999), kind)


def test_a_tiffs_tiles_are_held_to_the_limit() -> None:
    entries = (
        (256, 4, 64),
        (257, 4, 64),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (277, 3, 1),
        (322, 4, 20_000),
        (323, 4, 20_000),
        (324, 4, 8),
        (325, 4, 64),
    )
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    data = b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + b"\0" * 4 + b"\x80" * 5000
    assert "20,000 x 20,000" in refusal(data)


def test_the_same_limits_hold_inside_dicom(monkeypatch) -> None:
    monkeypatch.setattr(limits, "MAX_PIXELS", IMAGE.size - 1)
    files = {"PNG": picture(IMAGE, "PNG"), "TIFF": picture(IMAGE, "TIFF")}
    for kind, data in {**files, "DICOM": dicom_bytes(dicom(IMAGE))}.items():
        with pytest.raises(UnreadableImage, match="megapixels"):
            decode(data, kind)


def test_what_pixels_unpack_to_is_held_to_its_limit(monkeypatch) -> None:
    deep = IMAGE.astype(np.uint16) * 257
    colour = np.dstack([deep, deep, deep])
    files = {  # bytes a pixel, once unpacked
        "16-bit colour PNG": (6, deep_png(colour)),
        "16-bit grey PNG": (2, deep_png(deep)),
        "WebP": (3, picture(Image.fromarray(IMAGE).convert("RGB"), "WEBP")),
        "float TIFF": (4, picture(IMAGE.astype(np.float32), "TIFF")),
        "palette": (1, picture(Image.fromarray(IMAGE).convert("P"), "PNG")),
        "DICOM": (2, dicom_bytes(dicom(deep))),
    }
    for name, (depth, data) in files.items():
        monkeypatch.setattr(limits, "MAX_UNPACKED", depth * IMAGE.size)
        kind = limits.kind_of(data)
        assert decode(data, kind)[0].shape == IMAGE.shape, name
        monkeypatch.setattr(limits, "MAX_UNPACKED", depth * IMAGE.size - 1)
        with pytest.raises(UnreadableImage, match="unpacks to"):
            decode(data, kind)


def test_sixteen_bit_colour_of_a_big_image_is_refused_before_any_decoder_sees_it() -> None:
    header = struct.pack(">IIBBBBB", 8000, 8000, 16, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
        for part in (b"IHDR" + header, b"IDAT" + zlib.compress(b"\0" * 1000), b"IEND")
    )
    assert "366 MB" in refusal(bomb) and "256 MB" in refusal(bomb)


def test_many_files_in_a_row_leave_nothing_open(tmp_path) -> None:
    sound = picture(IMAGE, "PNG")
    kinds = (
        sound,
        sound[:90],
        b"",
        dicom_bytes(dicom(IMAGE))[:700],
        SCRIPT,
        picture(IMAGE, "TIFF"),
    )
    places = [tmp_path / f"{number}.png" for number in range(len(kinds))]
    for place, content in zip(places, kinds, strict=True):
        place.write_bytes(content)
    handles = Path("/proc/self/fd")
    before = len(os.listdir(handles)) if handles.is_dir() else 0
    read = 0
    for number in range(600):
        try:
            read += read_radiograph(places[number % len(places)]).pixels.shape == IMAGE.shape
        except UnreadableImage as error:
            assert error.sentence.endswith(".")
    assert read == 200
    assert not handles.is_dir() or len(os.listdir(handles)) <= before + 2
