"""Damaged and hostile files give an image or a sentence, never a patient's name."""

import random

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import JPEG2000Lossless, RLELossless

from pneumo.imaging.radiograph import MAX_PIXELS, Radiograph, UnreadableImage, read_radiograph
from tests.unit.imaging.files import (
    PATIENT,
    chest,
    dicom,
    dicom_bytes,
    dicom_files,
    packed_dicom,
    picture,
    picture_files,
)

IMAGE = chest(90, 96)
ATTACKS = ("flip", "cut", "insert", "huge", "splice")


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """A small image."""
    return IMAGE


def refusal(data: bytes, status: str) -> str:
    with pytest.raises(UnreadableImage) as caught:
        read_radiograph(data)
    assert caught.value.status == status
    return caught.value.sentence


@pytest.mark.filterwarnings("ignore")
def test_nothing_of_the_patient_leaves_the_reader(image: np.ndarray, capfd, caplog) -> None:
    files = [
        dicom_bytes(dicom(image)),
        dicom_bytes(dicom(image, Modality=PATIENT[:16], ViewPosition=PATIENT[:16])),
        dicom_bytes(dicom(image, PhotometricInterpretation=PATIENT[:16])),
        dicom_bytes(dicom(image))[:-500],
        dicom_bytes(dicom(image)).replace(b"DX", b"\xff\xfe"),
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


def test_what_is_no_single_image_is_refused(image: np.ndarray) -> None:
    many = dicom(np.concatenate([image, image]), NumberOfFrames=2, Rows=image.shape[0])
    assert "several frames" in refusal(dicom_bytes(many), "refused")
    report = dicom(image)
    del report.PixelData
    assert "no image" in refusal(dicom_bytes(report), "error")
    assert "megapixels" in refusal(dicom_bytes(dicom(image, Rows=20000, Columns=20000)), "refused")
    assert "damaged" in refusal(dicom_bytes(dicom(image, Rows=1000, Columns=1000)), "error")
    assert "values a pixel" in refusal(dicom_bytes(dicom(image, SamplesPerPixel=4)), "refused")


def test_a_compression_that_is_not_read_is_named(image: np.ndarray) -> None:
    made = dicom(image)
    made.PixelData = pydicom.encaps.encapsulate([b"some video"])
    made["PixelData"].is_undefined_length = True
    assert "MPEG-4" in refusal(dicom_bytes(made, "1.2.840.10008.1.2.4.102"), "refused")
    private = dicom_bytes(made, "1.2.840.10008.1.2.4.102")
    private = private.replace(b"1.2.840.10008.1.2.4.102", b"1.2.3.19010203.1.1.1.11")
    secret = refusal(private, "refused")
    assert "private" in secret and "1901" not in secret


def test_a_stream_of_another_size_than_declared_is_damaged(image: np.ndarray) -> None:
    made = dicom(image)
    made.PixelData = pydicom.encaps.encapsulate([picture(np.zeros((900, 900), np.uint8), "JPEG")])
    made["PixelData"].is_undefined_length = True
    made["PixelData"].VR = "OB"
    assert "damaged" in refusal(dicom_bytes(made, pydicom.uid.JPEGBaseline8Bit), "error")


def test_a_png_that_declares_a_part_of_two_gigabytes_is_not_believed(image: np.ndarray) -> None:
    data = picture_files(image)["PNG 16-bit RGB"]
    at = data.index(b"IDAT")
    assert "damaged" in refusal(data[: at - 4] + b"\x7f\xff\xff\xff" + data[at:], "error")


def mutated(data: bytes, other: bytes, seed: int) -> bytes:
    """A file with a few of its bytes flipped, cut, repeated, made huge or taken from another."""
    chance = random.Random(seed)
    spoilt = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 30))):
        # Headers decide more than pixels do, so half of the damage goes there.
        reach = len(spoilt) if chance.random() < 0.5 else min(len(spoilt), 600)
        at = chance.randrange(max(reach, 1))
        attack = chance.choice(ATTACKS)
        if attack == "flip" and spoilt:
            spoilt[at] ^= 1 << chance.randrange(8)
        elif attack == "cut":
            del spoilt[at : at + chance.choice((1, 2, 8, 1000, len(spoilt)))]
        elif attack == "insert":
            spoilt[at:at] = chance.randbytes(chance.choice((1, 4, 64)))
        elif attack == "huge":
            spoilt[at : at + 4] = chance.choice((b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0" * 4))
        else:
            start = chance.randrange(len(other))
            spoilt[at : at + 32] = other[start : start + 32]
    return bytes(spoilt)


def seeds_of_every_format() -> list[bytes]:
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


def check_outcome(files: list[bytes], which: int, seed: int) -> None:
    """A mutated file gives an image within the limits or a sentence."""
    data = mutated(files[which % len(files)], files[seed % len(files)], seed)
    try:
        read = read_radiograph(data)
    except UnreadableImage as error:
        assert error.sentence.endswith(".") and "DOE" not in error.sentence
        return
    assert isinstance(read, Radiograph)
    assert 0 < read.pixels.size <= MAX_PIXELS
    assert "DOE" not in read.source


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    """Made once: the sound files that are mutated."""
    return seeds_of_every_format()


fuzzing = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
numbers = {"which": st.integers(0, 10**6), "seed": st.integers(0, 2**40)}


@given(**numbers)
@settings(fuzzing, max_examples=300)
def test_any_damage_gives_an_image_or_a_sentence(files, which: int, seed: int) -> None:
    check_outcome(files, which, seed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@given(**numbers)
@settings(fuzzing, max_examples=20_000)
def test_much_damage_gives_an_image_or_a_sentence(files, which: int, seed: int) -> None:
    check_outcome(files, which, seed)


@given(st.binary(max_size=2000))
@settings(fuzzing, max_examples=200)
def test_any_bytes_give_a_sentence(data: bytes) -> None:
    with pytest.raises(UnreadableImage):
        read_radiograph(data)


@given(st.binary(max_size=400))
@settings(fuzzing, max_examples=200)
def test_any_bytes_after_a_dicom_preamble_give_a_sentence(data: bytes) -> None:
    with pytest.raises(UnreadableImage):
        read_radiograph(b"\0" * 128 + b"DICM\x08\0" + data)
