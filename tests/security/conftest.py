"""One running app for all attacks, a browser, and films with a patient in their tags."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

from pneumo.imaging.phantom import phantom
from tests.security.server import Server, start, stop

# What must never come out again, whichever way it goes in.
PATIENT = {
    "PatientName": "Zebrowska^Kunigunde",
    "PatientID": "PID-4711-XQ",
    "PatientBirthDate": "19310207",
    "StudyDate": "20240229",
    "StudyTime": "235958",
    "AccessionNumber": "ACC-90210-Z",
    "InstitutionName": "Klinikum Hinterwald",
    "ReferringPhysicianName": "Quacksilber^Theo",
    "StudyDescription": "Thorax-pa-Verlaufskontrolle",
    "PatientComments": "geheimer Kommentar",
}


def secrets_of_the_patient() -> list[str]:
    """Each tag's value and each part of a name."""
    parts = [part for value in PATIENT.values() for part in (value, *value.split("^"))]
    return sorted(set(parts))


@pytest.fixture(scope="session")
def film() -> bytes:
    """A drawn film as PNG."""
    return cv2.imencode(".png", phantom(1, 256, "right")[0])[1].tobytes()


@pytest.fixture(scope="session")
def dicom() -> bytes:
    """A drawn film as DICOM, with a patient in its tags."""
    pixels = phantom(2, 320)[0]
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.SOPClassUID = ComputedRadiographyImageStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID
    data.Modality, data.ViewPosition = "CR", "PA"
    for name, value in PATIENT.items():
        setattr(data, name, value)
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.PixelData = np.ascontiguousarray(pixels).tobytes()
    stream = BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


@pytest.fixture(scope="session")
def server(stand_ins: Path, film: bytes, tmp_path_factory) -> Iterator[Server]:
    """The app with random networks and one example film."""
    folder, examples = tmp_path_factory.mktemp("server"), tmp_path_factory.mktemp("examples")
    (examples / "film.png").write_bytes(film)
    (examples / "cases.json").write_text(
        json.dumps(
            [{"file": "film.png", "title": "Drawn film", "truth": "NORMAL", "synthetic": True}]
        )
    )
    running = start(folder, examples, stand_ins)
    yield running
    stop(running)
