"""Compressed DICOM films: each decoder gives the values that are stored, within its limits."""

import itertools
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels import get_decoder
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from pneumo.imaging import dicom_pixels
from pneumo.imaging.dicom_header import Header, read_header
from pneumo.imaging.dicom_pixels import stored_values
from pneumo.imaging.phantom import phantom
from pneumo.imaging.radiograph import UnreadableFilm, read_radiograph
from tests.imaging.files import (
    dicom,
    dicom_bytes,
    distance,
    odd_film,
    packed_dicom,
    picture,
)

PYDICOM_FILES = Path(pydicom.__file__).parent / "data" / "test_files"


@pytest.fixture(scope="module")
def film() -> np.ndarray:
    return odd_film()


def test_rle_and_jpeg_2000(film: np.ndarray) -> None:
    for values, bits in ((film, 8), (film.astype(np.uint16) * 257, 16)):
        assert distance(dicom_bytes(dicom(values, bits=bits), RLELossless), film) < 1
        assert distance(packed_dicom(values, JPEG2000Lossless, bits), film) < 1


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_large_jpeg_2000_film_is_read_at_a_smaller_size(monkeypatch, bits: int) -> None:
    film = cv2.resize(phantom(5, size=256)[0], (1024, 768))
    values = film if bits == 8 else film.astype(np.uint16) << (bits - 8)
    data = packed_dicom(values, JPEG2000Lossless, bits)
    whole = read_radiograph(data)
    assert whole.pixels.shape == (768, 1024) and not whole.notes
    expected = dicom_pixels.jpeg_2000_seconds(len(data), film.size)
    for share, sides, word in ((2, (384, 512), "half"), (8, (192, 256), "quarter")):
        monkeypatch.setattr(dicom_pixels, "SECONDS", expected / share)
        read = read_radiograph(data)
        assert read.pixels.shape == sides and word in "".join(read.notes)
        small = cv2.resize(whole.pixels, sides[::-1], interpolation=cv2.INTER_AREA)
        difference = read.pixels.astype(int) - small
        # Wavelets keep more of the grain than averaging does, but every grey where it is.
        assert abs(difference.mean()) < 1 and np.abs(difference).mean() < 4


def test_a_jpeg_2000_film_without_smaller_sizes_is_held_to_a_limit(film, monkeypatch) -> None:
    made = dicom(film)
    stream = picture(film, "JPEG2000", no_jp2=True, num_resolutions=1)
    made.PixelData = pydicom.encaps.encapsulate([stream])
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    data = dicom_bytes(made, JPEG2000Lossless)
    assert distance(data, film) == 0
    monkeypatch.setattr(dicom_pixels, "SECONDS", 1e-5)
    monkeypatch.setattr(dicom_pixels, "MOST_SECONDS", 1e-4)
    with pytest.raises(UnreadableFilm, match="megapixels") as caught:
        read_radiograph(data)
    assert caught.value.status == "refused"


def packed_by_gdcm(values: np.ndarray, bits: int, syntax: str, folder: Path) -> bytes:
    """A film as a DICOM file in a compression that only GDCM writes."""
    gdcm = pytest.importorskip("gdcm", reason="python-gdcm is not installed")
    (folder / "native.dcm").write_bytes(dicom_bytes(dicom(values, bits=bits)))
    reader, writer = gdcm.ImageReader(), gdcm.ImageWriter()
    change = gdcm.ImageChangeTransferSyntax()
    reader.SetFileName(str(folder / "native.dcm"))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str(syntax))))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFileName(str(folder / "packed.dcm"))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return (folder / "packed.dcm").read_bytes()


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_compressions_that_gdcm_writes(film, tmp_path, syntax: str, bits: int) -> None:
    film = np.ascontiguousarray(film[:238, :232])  # GDCM writes no 8-bit film of odd size
    values = film if bits == 8 else film.astype(np.uint16) * (16 if bits == 12 else 257)
    packed = packed_by_gdcm(values, bits, syntax, tmp_path)
    assert read_header(packed).syntax == syntax
    assert distance(packed, film) < 1


def by_pydicom(header: Header, frame: bytes) -> np.ndarray:
    """A JPEG 2000 frame as pydicom has Pillow decode it."""
    return get_decoder(JPEG2000Lossless).as_array(
        encapsulate([frame]), index=0, decoding_plugin="pillow", rows=header.rows,
        columns=header.columns, samples_per_pixel=header.samples, number_of_frames=1,
        photometric_interpretation=header.photometric, bits_allocated=header.allocated,
        bits_stored=header.stored, pixel_representation=int(header.signed),
        planar_configuration=0, pixel_keyword="PixelData")[0]


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_jpeg_2000_is_decoded_to_the_values_pydicom_finds(film, tmp_path, bits: int) -> None:
    values = film[:238, :232].astype(np.uint8 if bits == 8 else np.uint16) << (bits - 8)
    header = read_header(packed_by_gdcm(values, bits, JPEG2000Lossless, tmp_path))
    frame = get_frame(header.pixels, 0, number_of_frames=1)
    depth = frame.index(b"\xff\x4f\xff\x51") + 42
    for signed, packed_signed, wide in itertools.product((False, True), repeat=3):
        # The same stream, its values declared in other ways.
        stream = frame[:depth] + bytes([bits - 1 | packed_signed << 7]) + frame[depth + 1 :]
        declared = replace(header, signed=signed, pixels=encapsulate([stream]),
                           allocated=32 if wide else header.allocated)
        found, expected = stored_values(declared), by_pydicom(declared, stream)
        assert found.dtype.itemsize == expected.dtype.itemsize
        np.testing.assert_array_equal(found, expected.view(found.dtype))


@pytest.mark.parametrize("photometric", ["RGB", "YBR_RCT", "YBR_FULL"])
def test_jpeg_2000_in_colour_is_decoded_to_the_values_pydicom_finds(film, photometric) -> None:
    colours = np.stack([film, film // 2, 255 - film], axis=-1)
    made = dicom(colours, photometric=photometric)
    frame = picture(colours, "JPEG2000", no_jp2=True)
    made.PixelData = encapsulate([frame])
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    header = read_header(dicom_bytes(made, JPEG2000Lossless))
    np.testing.assert_array_equal(stored_values(header), by_pydicom(header, frame))


@pytest.mark.filterwarnings("ignore")
def test_pydicoms_own_files_decode_to_the_values_pydicom_finds() -> None:
    compared = 0
    for path in sorted(PYDICOM_FILES.glob("*.dcm")):
        try:
            expected = pydicom.dcmread(path).pixel_array
            header = read_header(path.read_bytes())
            values = stored_values(header)
        except Exception:  # Several frames, no picture, or broken on purpose.
            continue
        if expected.ndim == 3 and values.ndim == 2:
            luma = expected @ [0.299, 0.587, 0.114]
            assert np.abs(values - luma).max() < 2, path.name
        else:
            kind = expected.dtype.str.replace("i", "u")
            mask = (1 << header.stored) - 1
            np.testing.assert_array_equal(values & mask, expected.view(kind) & mask, path.name)
        compared += 1
    assert compared >= 30
