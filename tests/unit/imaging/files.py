"""Makes image files of every format for the tests: pictures and DICOM."""

import io
import struct
import zlib

import cv2
import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from pneumo.imaging.radiograph import read_radiograph

PATIENT = "DOE^SECRET"


def picture(pixels: np.ndarray | Image.Image, kind: str, **options: object) -> bytes:
    """A picture file of an array or a Pillow image."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def deep_png(pixels: np.ndarray, ending: str = ".png") -> bytes:
    """A PNG (or another kind, by its ending) of a uint16 array, grey or with 3 or 4 channels."""
    return cv2.imencode(ending, pixels)[1].tobytes()


def with_chunk(png: bytes, kind: bytes, content: bytes) -> bytes:
    """The PNG with one more chunk behind its header."""
    checked = kind + content
    chunk = struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
    return png[:33] + chunk + png[33:]


def picture_files(pixels: np.ndarray) -> dict[str, bytes]:
    """One image (uint8) in every lossless picture format that is read."""
    image, deep = Image.fromarray(pixels), pixels.astype(np.uint16) * 257
    opaque = np.full_like(deep, 65535)
    return {
        "PNG grey": picture(pixels, "PNG"),
        "PNG RGB": picture(image.convert("RGB"), "PNG"),
        "PNG RGBA": picture(image.convert("RGBA"), "PNG"),
        "PNG grey with opacity": picture(image.convert("LA"), "PNG"),
        "PNG palette": picture(image.convert("P"), "PNG"),
        "PNG 16-bit": picture(deep, "PNG"),
        "PNG 16-bit RGB": deep_png(np.stack([deep] * 3, axis=-1)),
        "PNG 16-bit RGBA": deep_png(np.stack([deep, deep, deep, opaque], axis=-1)),
        "TIFF": picture(pixels, "TIFF"),
        "TIFF LZW": picture(pixels, "TIFF", compression="tiff_lzw"),
        "TIFF 16-bit": picture(deep, "TIFF"),
        "TIFF 16-bit RGB": deep_png(np.stack([deep] * 3, axis=-1), ".tiff"),
        "TIFF float": picture(pixels.astype(np.float32) / 255, "TIFF"),
        "BMP": picture(pixels, "BMP"),
        "WebP": picture(image.convert("RGB"), "WEBP", lossless=True),
    }


def dicom(
    values: np.ndarray, *, bits: int | None = None, photometric: str = "MONOCHROME2", **tags: object
) -> Dataset:
    """A data set around an array (uint8, uint16 or int16; (H, W) or (H, W, 3)), with a patient who
    must never be seen again; `bits` are those stored, all unless given, `tags` further elements."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.set_pixel_data(values, photometric, bits or values.dtype.itemsize * 8)
    made.SOPClassUID, made.Modality, made.ViewPosition = (
        DigitalXRayImageStorageForPresentation,
        "DX",
        "PA",
    )
    made.PatientName, made.PatientID, made.PatientBirthDate = PATIENT, PATIENT, "19010203"
    for keyword, value in tags.items():
        setattr(made, keyword, value)
    return made


def dicom_bytes(made: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """A complete file of a data set, compressed with RLE where that is asked for."""
    if syntax == RLELossless:
        made.compress(syntax, generate_instance_uid=False, encoding_plugin="pydicom")
    made.file_meta.TransferSyntaxUID = syntax
    stream = io.BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def packed_dicom(values: np.ndarray, syntax: str = JPEGBaseline8Bit, bits: int = 8) -> bytes:
    """An image as JPEG Baseline (8 bits) or JPEG 2000 without loss inside DICOM."""
    made = dicom(values, bits=bits)
    kind = "JPEG2000" if syntax == JPEG2000Lossless else "JPEG"
    options = {"no_jp2": True} if kind == "JPEG2000" else {"quality": 98}
    made.PixelData = encapsulate([picture(values, kind, **options)])
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    return dicom_bytes(made, syntax)


def dicom_files(pixels: np.ndarray) -> dict[str, bytes]:
    """One image (uint8) in every DICOM encoding that can be written here without loss."""
    deep = pixels.astype(np.uint16) * 16
    return {
        "8-bit": dicom_bytes(dicom(pixels)),
        "12-bit": dicom_bytes(dicom(deep, bits=12)),
        "16-bit": dicom_bytes(dicom(pixels.astype(np.uint16) * 257)),
        "MONOCHROME1": dicom_bytes(dicom(4095 - deep, bits=12, photometric="MONOCHROME1")),
        "deflated": dicom_bytes(dicom(deep, bits=12), DeflatedExplicitVRLittleEndian),
        "RGB": dicom_bytes(dicom(np.stack([pixels] * 3, axis=-1), photometric="RGB")),
    }


def distance(data: bytes, pixels: np.ndarray) -> float:
    """The mean difference in grey levels between a file as it is read and some pixels."""
    return float(np.abs(read_radiograph(data).pixels.astype(int) - pixels).mean())


def chest(height: int = 239, width: int = 233, seed: int = 0) -> np.ndarray:
    """The coarse shape of a chest radiograph with some grain: uint8, from 0 to 255."""
    y = (np.arange(height)[:, None] + 0.5) / height
    x = (np.arange(width)[None, :] + 0.5) / width - 0.5
    lungs = np.exp(-(((np.abs(x) - 0.2) / 0.12) ** 4) - ((y - 0.45) / 0.3) ** 4)
    spine = np.exp(-((x / 0.06) ** 2))
    air = np.exp(-(((np.abs(x) - 0.5) / 0.15) ** 2) - (y / 0.2) ** 2)
    grain = np.random.default_rng(seed).normal(0, 0.02, (height, width))
    grey = 0.62 - 0.4 * lungs + 0.2 * spine + 0.1 * y - 0.5 * air + grain
    return np.rint((grey - grey.min()) * 255 / np.ptp(grey)).astype(np.uint8)
