"""Damaged, disguised and hostile files give an image or a sentence, never a patient's name."""

import io
import random
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.uid import JPEG2000Lossless, RLELossless

from pneumo.imaging import precheck
from pneumo.imaging.overlay import encode_png
from pneumo.imaging.radiograph import MAX_PIXELS, UnreadableImage, read_radiograph
from pneumo.imaging.sandbox import Limits, Sandbox
from pneumo.imaging.worker import decode
from tests.unit.imaging.files import (
    PATIENT,
    chest,
    deep_png,
    dicom,
    dicom_bytes,
    dicom_files,
    packed_dicom,
    picture,
    picture_files,
    with_chunk,
)

IMAGE, OTHER = chest(90, 96), chest(96, 96, seed=4)
SCRIPT = b"<script>alert('DOE')</script>"
KINDS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")


def refusal(data: bytes) -> tuple[str, object]:
    """The code of the error, and the kind of file it names."""
    with pytest.raises(UnreadableImage) as caught:
        read_radiograph(data)
    return caught.value.code, caught.value.values.get("kind")


def zipped(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.filterwarnings("ignore")
def test_nothing_of_the_patient_leaves_the_reader(capfd, caplog) -> None:
    files = [
        dicom_bytes(dicom(IMAGE)),
        dicom_bytes(dicom(IMAGE, Modality=PATIENT[:16], ViewPosition=PATIENT[:16])),
        dicom_bytes(dicom(IMAGE, PhotometricInterpretation=PATIENT[:16])),
        dicom_bytes(dicom(IMAGE))[:-500],
        dicom_bytes(dicom(IMAGE)).replace(b"DX", b"\xff\xfe"),
    ]
    told = ""
    capfd.readouterr()
    caplog.clear()
    for data in files:
        assert PATIENT.encode() in data
        try:
            read = read_radiograph(data)
            told += read.source + " ".join(read.notes)
        except UnreadableImage as error:
            told += error.sentence
            assert error.__context__ is None or error.__suppress_context__
    told += "".join(capfd.readouterr()) + caplog.text
    assert "DOE" not in told and "1901" not in told


def test_what_is_no_single_image_is_refused() -> None:
    many = dicom(np.concatenate([IMAGE, IMAGE]), NumberOfFrames=2, Rows=IMAGE.shape[0])
    assert refusal(dicom_bytes(many)) == ("frames", "DICOM")
    report = dicom(IMAGE)
    del report.PixelData
    assert refusal(dicom_bytes(report))[0] == "no_image"
    assert refusal(dicom_bytes(dicom(IMAGE, Rows=20000, Columns=20000)))[0] == "pixels"
    assert refusal(dicom_bytes(dicom(IMAGE, Rows=1000, Columns=1000))) == ("damaged", "DICOM")
    assert refusal(dicom_bytes(dicom(IMAGE, SamplesPerPixel=4)))[0] == "samples"


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_two_things_is_read_as_one(kind: str) -> None:
    # The standard leaves the first 128 bytes free: TIFF and DICOM in one file are even usual.
    data = picture(OTHER, kind)[:128].ljust(128, b"\0") + dicom_bytes(dicom(IMAGE))[128:]
    np.testing.assert_array_equal(read_radiograph(data).pixels, IMAGE)
    data = picture(IMAGE, kind)
    expected = read_radiograph(data).pixels
    for tail in (zipped("image.png", picture(OTHER, "PNG")), dicom_bytes(dicom(OTHER)), SCRIPT):
        read = read_radiograph(data + tail)
        np.testing.assert_array_equal(read.pixels, expected)
        assert b"script" not in encode_png(read.pixels)


def test_a_document_or_archive_that_holds_an_image_is_refused_by_name() -> None:
    image = picture(IMAGE, "PNG")
    for start, word in ((b"%PDF-1.7\n", "PDF"), (b"GIF89a/*", "GIF"), (b"\x1f\x8b\x08", "GZIP")):
        assert refusal(start + image) == ("format", word)
    assert refusal(zipped("image.png", image)) == ("format", "ZIP")
    for start in (SCRIPT, b"<svg xmlns='http://www.w3.org/'>", b"#!/bin/sh\n", b"P1 9 9\n",
                  b"%!PS-Adobe-3.0 EPSF-3.0\n", b"8BPS\0\1", b"\0\0\1\0\1\0"):  # fmt: skip
        assert refusal(start + image)[0] == "unknown"


def test_a_bomb_in_a_pngs_text_is_not_unpacked() -> None:
    bomb = zlib.compress(bytes(100 << 20), 1)
    box = Sandbox(1, Limits(memory=60 << 20))
    for kind, start in ((b"zTXt", b"DOE\0\0"), (b"iCCP", b"DOE\0\0")):
        try:
            pixels, _, _ = box.decode(with_chunk(picture(IMAGE, "PNG"), kind, start + bomb))
            np.testing.assert_array_equal(pixels, IMAGE)
        except UnreadableImage as error:
            assert "DOE" not in error.sentence and error.code != "memory"
    box.close()


def refused(data: bytes, kind: str) -> str:
    with pytest.raises(UnreadableImage) as caught:
        decode(data, kind)
    return caught.value.code


def test_the_same_limits_hold_in_every_kind_of_file(monkeypatch) -> None:
    deep = IMAGE.astype(np.uint16) * 257
    files = {  # bytes a pixel, once unpacked
        "16-bit colour PNG": (6, deep_png(np.dstack([deep, deep, deep]))),
        "16-bit grey PNG": (2, deep_png(deep)),
        "WebP": (3, picture(Image.fromarray(IMAGE).convert("RGB"), "WEBP")),
        "float TIFF": (4, picture(IMAGE.astype(np.float32), "TIFF")),
        "BMP": (1, picture(IMAGE, "BMP")),
        "JPEG": (1, picture(IMAGE, "JPEG")),
        "palette": (1, picture(Image.fromarray(IMAGE).convert("P"), "PNG")),
        "DICOM": (2, dicom_bytes(dicom(deep))),
    }
    for name, (depth, data) in files.items():
        kind = precheck.kind_of(data)
        monkeypatch.setattr(precheck, "MAX_UNPACKED", depth * IMAGE.size)
        assert decode(data, kind)[0].shape == IMAGE.shape, name
        monkeypatch.setattr(precheck, "MAX_UNPACKED", depth * IMAGE.size - 1)
        assert refused(data, kind) == "unpacked"
        with monkeypatch.context() as patch:
            patch.setattr(Image, "open", lambda *_, **__: pytest.fail("it was decoded"))
            patch.setattr(precheck, "MAX_PIXELS", IMAGE.size - 1)
            assert refused(data, kind) == "pixels"


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    """A sound file of each format that is read."""
    deep = IMAGE.astype(np.uint16) * 257
    return [
        *picture_files(IMAGE).values(),
        picture(IMAGE, "JPEG"),
        picture(IMAGE, "JPEG", progressive=True),
        *dicom_files(IMAGE).values(),
        packed_dicom(IMAGE),
        packed_dicom(deep, JPEG2000Lossless, 16),
        dicom_bytes(dicom(deep), RLELossless),
    ]


def mutated(data: bytes, other: bytes, seed: int) -> bytes:
    """A file with a few of its bytes flipped, cut, made huge or taken from another."""
    chance, spoilt = random.Random(seed), bytearray(data)
    for _ in range(chance.choice((1, 2, 5, 30))):
        # Headers decide more than pixels do, so half of the damage goes there.
        at = chance.randrange(max(1, min(len(spoilt), chance.choice((600, len(data))))))
        start = chance.randrange(len(other))
        put = chance.choice((b"", b"\xff" * 4, chance.randbytes(4), other[start : start + 32]))
        spoilt[at : at + chance.choice((0, 1, 4, 1000))] = put
    return bytes(spoilt)


@given(which=st.integers(0, 10**6), seed=st.integers(0, 2**40))
@settings(derandomize=True, deadline=None, database=None, max_examples=150)
def test_any_damage_gives_an_image_or_a_sentence(files, which: int, seed: int) -> None:
    data = mutated(files[which % len(files)], files[seed % len(files)], seed)
    try:
        read = read_radiograph(data)
    except UnreadableImage as error:
        assert error.sentence.endswith(".") and "DOE" not in error.sentence
        return
    assert 0 < read.pixels.size <= MAX_PIXELS
    assert "DOE" not in read.source
