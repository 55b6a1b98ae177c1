"""DICOM objects of a reading, read back with pydicom and validated by dicom3tools where it is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import EnhancedSRStorage, SecondaryCaptureImageStorage, generate_uid

from tests.radiographs import synthetic
from tests.unit.commands.shell import run
from tests.unit.imaging.files import PATIENT, dicom, dicom_bytes

pytest.importorskip("highdicom")
UIDS = {
    name: generate_uid() for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
}
WHO = {"AccessionNumber": "ACC-90210-Z", "StudyDate": "20240229", "StudyID": "S-4711", **UIDS}


@pytest.fixture
def ward(tmp_path: Path, stand_ins, monkeypatch, png: bytes) -> Path:
    """A folder with a DICOM file that names its patient, and a PNG."""
    monkeypatch.setenv("PNEUMO_CHECKPOINTS", str(stand_ins))
    (tmp_path / "ward").mkdir()
    (tmp_path / "ward/a.dcm").write_bytes(dicom_bytes(dicom(synthetic(2, 320), **WHO)))
    (tmp_path / "ward/b.png").write_bytes(png)
    return tmp_path / "ward"


def written(ward: Path, *flags: str) -> dict[str, Dataset]:
    out = ward.parent / "out"
    words = ("predict", ward, "--no-input-check", "--format", "jsonl", "--dicom-out", out, *flags)
    assert run(*words) == 0
    return {path.name: dcmread(path) for path in sorted(out.iterdir())}


def said(item: Dataset) -> list[tuple[str, object]]:
    """Name and value of every content item of a report, depth first."""
    found = []
    for child in item.get("ContentSequence", ()):
        name = child.ConceptNameCodeSequence[0].CodeMeaning
        if "MeasuredValueSequence" in child:
            found.append((name, float(child.MeasuredValueSequence[0].NumericValue)))
        elif "ConceptCodeSequence" in child:
            found.append((name, child.ConceptCodeSequence[0].CodeMeaning))
        else:
            found.append((name, child.get("TextValue")))
        found += said(child)
    return found


def test_a_capture_and_a_report_without_the_patient(ward, capsys):
    found = written(ward)
    record = json.loads(capsys.readouterr().out.splitlines()[0])
    assert list(found) == ["a.sc.dcm", "a.sr.dcm", "b.sc.dcm"]
    capture, report = found["a.sc.dcm"], found["a.sr.dcm"]
    assert capture.SOPClassUID == SecondaryCaptureImageStorage
    assert report.SOPClassUID == EnhancedSRStorage
    assert capture.StudyInstanceUID == report.StudyInstanceUID != WHO["StudyInstanceUID"]
    pixels = capture.pixel_array
    assert pixels.shape[2] == 3 and capture.BurnedInAnnotation in ("YES", "NO")
    assert pixels[1024:].max() == 255, "the caveat stands under the image"
    items = said(report)
    values = dict(items)
    assert values["Probability of pneumonia"] == pytest.approx(record["probability"], abs=1e-5)
    assert values["Label given by the thresholds"] and values["Finding"] == "Pneumonia"
    texts = [value for name, value in items if name == "Algorithm Parameters"]
    assert any(re.fullmatch("weights sha256 [0-9a-f]{64}", text) for text in texts)
    assert any("Not for clinical use" in text for text in texts)
    assert capture.PatientName == "Placeholder^Pneumo"
    for name in found:
        content = (ward.parent / "out" / name).read_bytes()
        assert not any(str(secret).encode() in content for secret in (PATIENT, *WHO.values()))


def test_identifiers_are_kept_when_asked_for(ward, recwarn):
    single = dicom_bytes(dicom(synthetic(2, 320), **WHO, PatientName="SECRET"))
    for number in range(8):  # several are written at the same time
        (ward / f"{number}.dcm").write_bytes(single)
    found = written(ward, "--keep-identifiers")
    assert not [one for one in recwarn if "SECRET" in str(one.message)]
    for dataset in (found["a.sc.dcm"], found["a.sr.dcm"]):
        assert dataset.PatientName == PATIENT and dataset.AccessionNumber == "ACC-90210-Z"
        assert dataset.StudyInstanceUID == UIDS["StudyInstanceUID"]
        assert dataset.SeriesInstanceUID != UIDS["SeriesInstanceUID"]
    source = found["a.sc.dcm"].SourceImageSequence[0]
    assert source.ReferencedSOPInstanceUID == UIDS["SOPInstanceUID"]
    assert UIDS["SOPInstanceUID"].encode() in (ward.parent / "out/a.sr.dcm").read_bytes()
    assert found["b.sc.dcm"].PatientName == "Placeholder^Pneumo"
    assert run("predict", ward, "--keep-identifiers") == 2


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools is not installed here")
@pytest.mark.parametrize("flags", [(), ("--keep-identifiers",)])
def test_they_are_valid(ward, flags):
    for name in written(ward, *flags):
        command = ["dciodvfy", "-new", str(ward.parent / "out" / name)]
        done = subprocess.run(command, capture_output=True, text=True)
        errors = [line for line in done.stderr.splitlines() if line.startswith("Error")]
        assert not errors, (name, errors)
