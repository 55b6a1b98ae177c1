"""A radiograph with a patient in its tags, and what must never come out again."""

import pytest

from tests.radiographs import synthetic
from tests.unit.imaging.files import dicom as dataset
from tests.unit.imaging.files import dicom_bytes

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
# Each tag's value and each part of a name.
SECRETS = sorted({part for value in PATIENT.values() for part in (value, *value.split("^"))})


@pytest.fixture(scope="session")
def dicom() -> bytes:
    """A radiograph as DICOM, with a patient in its tags."""
    return dicom_bytes(dataset(synthetic(2, 320), **PATIENT))
