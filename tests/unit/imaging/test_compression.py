"""Compressed DICOM images: each decoder gives the values that are stored, within its limits."""

import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from pneumo.imaging import dicom as reader
from pneumo.imaging.messages import UnreadableImage
from pneumo.imaging.worker import decode
from tests.unit.imaging.files import chest, dicom, dicom_bytes, distance, packed_dicom

PYDICOM_FILES = Path(pydicom.__file__).parent / "data" / "test_files"


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return chest()


def test_rle_and_jpeg_2000(image: np.ndarray) -> None:
    for values, bits in ((image, 8), (image.astype(np.uint16) * 257, 16)):
        assert distance(dicom_bytes(dicom(values, bits=bits), RLELossless), image) < 1
        assert distance(packed_dicom(values, JPEG2000Lossless, bits), image) < 1


def packed_by_gdcm(values: np.ndarray, bits: int, syntax: str, folder: Path) -> bytes:
    """A image as a DICOM file in a compression that only GDCM writes."""
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
def test_compressions_that_gdcm_writes(image, tmp_path, syntax: str, bits: int) -> None:
    image = np.ascontiguousarray(image[:238, :232])  # GDCM writes no 8-bit image of odd size
    values = image if bits == 8 else image.astype(np.uint16) * (16 if bits == 12 else 257)
    assert distance(packed_by_gdcm(values, bits, syntax, tmp_path), image) < 1


def test_every_image_of_pydicom_is_shown_as_pydicom_shows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "REFUSED_MODALITIES", {})
    compared = set()
    for path in sorted(PYDICOM_FILES.glob("*.dcm")):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made = pydicom.dcmread(path)
                if made.get("NumberOfFrames", 1) > 1:
                    continue
                stored = made.pixel_array
        except Exception:  # Several frames, no image, or broken on purpose.
            continue
        try:
            pixels, _, notes = decode(path.read_bytes(), "DICOM")
        except UnreadableImage as error:
            assert error.code == "bits", path.name
            continue
        if stored.shape[:2] != pixels.shape or "WindowCenter" in made:
            continue
        if {"inverted", "polarity"} & set(notes):
            pixels = 255 - pixels
        if made.PhotometricInterpretation == "MONOCHROME1":
            pixels = 255 - pixels
        if stored.ndim == 3:
            stored = stored @ [0.299, 0.587, 0.114]
        spread = np.ptp(stored.astype(float))
        if spread and made.PhotometricInterpretation != "PALETTE COLOR":
            assert np.corrcoef(stored.ravel(), pixels.ravel())[0, 1] > 0.97, path.name
            compared.add(made.file_meta.TransferSyntaxUID)
    syntaxes = {JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSNearLossless, RLELossless}
    assert syntaxes <= compared
