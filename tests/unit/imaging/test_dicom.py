"""DICOM images: every encoding gives the same image, shown as its file asks for, and anonymous."""

import struct

import numpy as np
import pytest
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from pneumo.imaging.messages import NOTES
from pneumo.imaging.precheck import looks_like_dicom
from pneumo.imaging.radiograph import UnreadableImage, read_radiograph
from tests.unit.imaging.files import (
    chest,
    dicom,
    dicom_bytes,
    dicom_files,
    distance,
    packed_dicom,
    picture,
)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return chest()


def test_every_encoding_gives_the_same_image(image: np.ndarray) -> None:
    for name, data in dicom_files(image).items():
        assert distance(data, image) < 1, name
    assert distance(packed_dicom(image), image) < 2
    assert distance(picture(image.astype(np.uint16) * 257, "PNG"), image) < 1


def test_source_and_notes_say_what_was_read(image: np.ndarray) -> None:
    read = read_radiograph(dicom_bytes(dicom(image, Modality="CR")))
    assert (read.source, read.notes) == ("DICOM CR MONOCHROME2", ())
    assert read_radiograph(dicom_bytes(dicom(image, ViewPosition="LL"))).notes == (
        NOTES["lateral"],
    )


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_other_byte_orders_and_files_without_meta(image: np.ndarray, syntax: str) -> None:
    big = syntax == ExplicitVRBigEndian
    for values in (image[:, :232], image.astype(np.uint16)[:, :232] * 257):
        made = dicom(values)
        stored = values.byteswap().tobytes() if big and values.itemsize == 2 else values.tobytes()
        made.PixelData = stored
        made.file_meta.TransferSyntaxUID = syntax
        data = dicom_bytes(made, syntax)
        assert distance(data, image[:, :232]) < 1
        start = data.index(struct.pack(">H" if big else "<H", 8), 140 + 12)
        while not looks_like_dicom(data[start:]):
            start = data.index(struct.pack(">H" if big else "<H", 8), start + 1)
        assert distance(data[start:], image[:, :232]) < 1


def test_bits_in_any_allocation_signed_and_high(image: np.ndarray) -> None:
    deep = image.astype(np.uint16) * 16
    high = dicom((deep << 4).astype(np.uint16), BitsStored=12)
    assert distance(dicom_bytes(high), image) < 1
    signed = (deep.astype(np.int32) - 2048).astype(np.int16)
    assert distance(dicom_bytes(dicom(signed, bits=12)), image) < 1
    wide = dicom(deep, bits=12)
    wide.BitsAllocated, wide.PixelData = 32, deep.astype("<u4").tobytes()
    assert distance(dicom_bytes(wide), image) < 1
    # An overlay drawn into the spare bits is no part of the image.
    drawn = deep | (np.arange(deep.shape[1], dtype=np.uint16) % 2 << 15)
    drawn = dicom(drawn.astype(np.uint16), BitsStored=12, HighBit=11)
    drawn.add_new(0x60000102, "US", 15)
    assert distance(dicom_bytes(drawn), image) < 1


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("rescale", [(1.0, 0.0), (0.5, -200.0)])
def test_windows_are_those_of_pydicom(image: np.ndarray, function: str, rescale) -> None:
    made = dicom(image.astype(np.uint16) * 16, bits=12)
    made.RescaleSlope, made.RescaleIntercept = rescale
    levels = np.arange(4096) * rescale[0] + rescale[1]
    made.WindowCenter = [float(np.median(levels)), 7.0]
    made.WindowWidth = [float(np.ptp(levels)) * 0.4, 3.0]
    made.VOILUTFunction = function
    stored = apply_modality_lut(made.pixel_array, made)
    expected = apply_voi_lut(stored, made)
    lowest, highest = levels.min(), levels.max()
    expected = (expected - lowest) / (highest - lowest) * 255
    read = read_radiograph(dicom_bytes(made)).pixels
    assert np.abs(read - expected).max() < 1.5


def test_a_window_that_shows_nothing_is_not_believed(image: np.ndarray) -> None:
    data = dicom_bytes(dicom(image, WindowCenter=5000, WindowWidth=10))
    assert distance(data, image) == 0
    assert NOTES["window"] in read_radiograph(data).notes


def test_wrongly_declared_greys_are_turned_round_with_a_note(image: np.ndarray) -> None:
    # Either the greys or their declaration were reversed.
    for values, photometric in ((255 - image, "MONOCHROME2"), (image, "MONOCHROME1")):
        read = read_radiograph(dicom_bytes(dicom(values, photometric=photometric)))
        np.testing.assert_array_equal(read.pixels, image)
        assert read.notes == (NOTES["polarity"],)
    undeclared = dicom(255 - image)
    undeclared.PhotometricInterpretation = "UNKNOWN"
    read = read_radiograph(dicom_bytes(undeclared))
    np.testing.assert_array_equal(read.pixels, image)
    assert read.notes == (NOTES["inverted"],) and "UNKNOWN" not in read.source


@pytest.mark.parametrize("modality", ["CT", "MR", "US", "NM", "PT", "MG"])
def test_other_modalities_are_refused_by_name(image: np.ndarray, modality: str) -> None:
    for frames in (1, 9):
        made = dicom(image, Modality=modality, NumberOfFrames=frames)
        with pytest.raises(UnreadableImage, match=rf"\({modality}\), not a radiograph") as caught:
            read_radiograph(dicom_bytes(made))
        assert (caught.value.status, caught.value.code) == ("refused", "modality")
