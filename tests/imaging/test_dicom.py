"""DICOM films: every encoding gives the same film, shown as its file asks for, and anonymous."""

import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from pneumo.imaging import dicom_elements
from pneumo.imaging.dicom import LATERAL_NOTE, POLARITY_NOTE
from pneumo.imaging.polarity import INVERTED_NOTE
from pneumo.imaging.radiograph import read_radiograph
from pneumo.imaging.windowing import WINDOW_NOTE, window_shares
from tests.imaging.files import (
    dicom,
    dicom_bytes,
    dicom_files,
    distance,
    odd_film,
    packed_dicom,
    picture,
)


@pytest.fixture(scope="module")
def film() -> np.ndarray:
    return odd_film()


def test_every_encoding_gives_the_same_film(film: np.ndarray) -> None:
    for name, data in dicom_files(film).items():
        assert distance(data, film) < 1, name
    assert distance(packed_dicom(film), film) < 2
    assert distance(picture(film.astype(np.uint16) * 257, "PNG"), film) < 1


def test_eight_bits_without_a_window_are_shown_as_stored(film: np.ndarray) -> None:
    pale = (film // 4 + 120).astype(np.uint8)
    assert distance(dicom_bytes(dicom(pale)), pale) == 0


def test_source_and_notes_say_what_was_read(film: np.ndarray) -> None:
    read = read_radiograph(dicom_bytes(dicom(film, Modality="CR")))
    assert (read.source, read.notes) == ("DICOM CR MONOCHROME2", ())
    assert LATERAL_NOTE in read_radiograph(dicom_bytes(dicom(film, ViewPosition="LL"))).notes


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_other_byte_orders_and_files_without_meta(film: np.ndarray, syntax: str) -> None:
    big = syntax == ExplicitVRBigEndian
    for values in (film[:, :232], film.astype(np.uint16)[:, :232] * 257):
        made = dicom(values)
        stored = values.byteswap().tobytes() if big and values.itemsize == 2 else values.tobytes()
        made.PixelData = stored
        made.file_meta.TransferSyntaxUID = syntax
        data = dicom_bytes(made, syntax)
        assert distance(data, film[:, :232]) < 1
        start = data.index(struct.pack(">H" if big else "<H", 8), 140 + 12)
        while not dicom_elements.looks_like_dicom(data[start:]):
            start = data.index(struct.pack(">H" if big else "<H", 8), start + 1)
        assert distance(data[start:], film[:, :232]) < 1


def test_bits_in_any_allocation_signed_and_high(film: np.ndarray) -> None:
    deep = film.astype(np.uint16) * 16
    assert (
        distance(dicom_bytes(dicom((deep << 4).astype(np.uint16), bits=12, HighBit=15)), film) < 1
    )
    signed = (deep.astype(np.int32) - 2048).astype(np.int16)
    assert distance(dicom_bytes(dicom(signed, bits=12)), film) < 1
    wide = dicom(deep, bits=12)
    wide.BitsAllocated, wide.PixelData = 32, deep.astype("<u4").tobytes()
    assert distance(dicom_bytes(wide), film) < 1
    # An overlay drawn into the spare bits is no part of the film.
    drawn = deep | (np.arange(deep.shape[1], dtype=np.uint16) % 2 << 15)
    drawn = dicom(drawn.astype(np.uint16), bits=12)
    drawn.add_new(0x60000102, "US", 15)
    assert distance(dicom_bytes(drawn), film) < 1


def test_planar_colour_is_read(film: np.ndarray) -> None:
    colours = np.stack([film, film // 2, 255 - film], axis=-1)
    side_by_side = read_radiograph(dicom_bytes(dicom(colours, photometric="RGB")))
    planes = dicom(np.ascontiguousarray(colours), photometric="RGB", PlanarConfiguration=1)
    planes.PixelData = np.moveaxis(colours, -1, 0).tobytes() + b"\0" * (colours.size % 2)
    read = read_radiograph(dicom_bytes(planes))
    np.testing.assert_array_equal(read.pixels, side_by_side.pixels)
    np.testing.assert_array_equal(
        read_radiograph(picture(colours, "PNG")).pixels, side_by_side.pixels
    )


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("rescale", [(1.0, 0.0), (0.5, -200.0)])
def test_windows_are_those_of_pydicom(film: np.ndarray, function: str, rescale) -> None:
    made = dicom(film.astype(np.uint16) * 16, bits=12)
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


def test_a_falling_rescale_reverses_the_greys(film: np.ndarray) -> None:
    falling = dicom(255 - film, RescaleSlope=-1, RescaleIntercept=255)
    assert distance(dicom_bytes(falling), film) == 0
    falling.WindowCenter, falling.WindowWidth = 128, 256
    assert distance(dicom_bytes(falling), film) == 0


def test_a_window_at_its_edges() -> None:
    values = np.array([-10.0, 0.0, 1.0, 255.0, 400.0])
    np.testing.assert_allclose(
        window_shares(values, 128, 256, "LINEAR"), [0, 0, 1 / 255, 1, 1], atol=1e-9
    )
    assert window_shares(values, 0.5, 1, "LINEAR").tolist() == [0, 0, 1, 1, 1]


def test_a_table_comes_before_a_window(film: np.ndarray) -> None:
    made = dicom(film.astype(np.uint16) * 16, bits=12, WindowCenter=10, WindowWidth=5)
    item = Dataset()
    item.LUTDescriptor = [4096, 0, 12]
    item.LUTData = (np.arange(4096) ** 2 // 4096).astype(np.uint16).tobytes()
    item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "OW"
    made.VOILUTSequence = Sequence([item])
    squared = (film.astype(np.float64) * 16) ** 2 / 4096 / 4095 * 255
    for syntax in (pydicom.uid.ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        for undefined in (False, True):
            made["VOILUTSequence"].is_undefined_length = undefined
            read = read_radiograph(dicom_bytes(made, syntax)).pixels
            assert np.abs(read - squared).max() <= 1.5


def test_a_window_that_shows_nothing_is_not_believed(film: np.ndarray) -> None:
    data = dicom_bytes(dicom(film, WindowCenter=5000, WindowWidth=10))
    assert distance(data, film) == 0
    assert WINDOW_NOTE in read_radiograph(data).notes


def test_padding_is_black_and_takes_no_part_in_scaling(film: np.ndarray) -> None:
    raw = film.astype(np.uint16) * 3 + 1000
    raw[:, :60] = 65535
    for photometric in ("MONOCHROME1", "MONOCHROME2"):
        data = dicom_bytes(dicom(raw, photometric=photometric, PixelPaddingValue=65535))
        read = read_radiograph(data).pixels
        assert not read[:, :60].any()
        assert np.ptp(read[:, 60:]) > 250


def test_declared_polarity_is_trusted_and_doubted_aloud(film: np.ndarray) -> None:
    wrong = dicom_bytes(dicom(255 - film))
    assert distance(wrong, 255 - film) == 0
    assert POLARITY_NOTE in read_radiograph(wrong).notes
    undeclared = dicom(255 - film)
    undeclared.PhotometricInterpretation = "UNKNOWN"
    read = read_radiograph(dicom_bytes(undeclared))
    np.testing.assert_array_equal(read.pixels, film)
    assert INVERTED_NOTE in read.notes and "UNKNOWN" not in read.source


def test_the_two_real_dicom_films(data_beside: Path) -> None:
    folder = data_beside / "dicom"
    if not folder.is_dir():
        pytest.skip("the real DICOM films are not here")
    negative = read_radiograph(folder / "CR-MONO1-10-chest")
    assert negative.source == "DICOM CR MONOCHROME1" and negative.pixels.shape == (440, 440)
    positive = read_radiograph(folder / "siim_jpeg_baseline_mono2.dcm")
    assert positive.source == "DICOM CR MONOCHROME2" and positive.pixels.shape == (1024, 1024)
    assert negative.notes == positive.notes == ()
