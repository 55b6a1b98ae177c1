"""DICOM out: a secondary capture with the overlay, and a TID 1500 structured report (highdicom).

Nothing of the source file is copied unless its header is given: patient and study are placeholders,
all UIDs are new. highdicom is an extra: ``pip install '.[dicom]'``.
"""

from __future__ import annotations

import io
import textwrap
import threading
import warnings
from datetime import datetime
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid

from pneumo import __version__
from pneumo.files import sentences
from pneumo.imaging.overlay import blend, colour_layer
from pneumo.imaging.radiograph import Radiograph
from pneumo.models.card import Card
from pneumo.reading.reader import Reading

CAVEAT = sentences("app.")["disclaimer"]
SAYS = sentences("result.")  # by label
# Of the source file, with the user's leave: what says whose and which radiograph it is.
IDENTIFIERS = {
    "PatientID": "patient_id", "PatientName": "patient_name",
    "PatientBirthDate": "patient_birth_date", "PatientSex": "patient_sex",
    "AccessionNumber": "accession_number", "StudyID": "study_id", "StudyDate": "study_date",
    "StudyTime": "study_time", "ReferringPhysicianName": "referring_physician_name",
}  # fmt: skip
REFERENCE = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "Modality")
MAKER, SCHEME = "Pneumo", "99PNEUMO"
SIDE = 1024
_quiet = threading.Lock()


def read_identifiers(data: bytes) -> Dataset | None:
    """The elements of a DICOM file that its derived objects may carry; None without study or UIDs.

    To be called only for a file that was decoded before, and with the user's leave.
    """
    tags = [*IDENTIFIERS, *REFERENCE, "SpecificCharacterSet"]
    found = dcmread(io.BytesIO(data), force=True, stop_before_pixels=True, specific_tags=tags)
    return found if all(found.get(name) for name in REFERENCE) else None


def objects(
    radiograph: Radiograph, reading: Reading, card: Card, source: Dataset | None = None
) -> dict[str, bytes]:
    """The DICOM files of a reading of status "ok", by their ending: ".sc.dcm", the secondary
    capture; and ".sr.dcm", the structured report, where the radiograph was a DICOM file itself.

    `source` is as `read_identifiers` gives it; placeholders are written without.
    """
    # highdicom's warnings quote the patient's name. Which are shown is the whole process's choice.
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = secondary_capture(radiograph, reading, card, source)
        found = {".sc.dcm": image}
        if radiograph.source.startswith("DICOM"):
            found[".sr.dcm"] = structured_report(image, reading, card, source)
    files = {}
    for ending, dataset in found.items():
        stream = io.BytesIO()
        dataset.save_as(stream, enforce_file_format=True)
        files[ending] = stream.getvalue()
    return files


def secondary_capture(
    radiograph: Radiograph, reading: Reading, card: Card, source: Dataset | None = None
) -> Dataset:
    """The radiograph under the evidence for pneumonia as a secondary capture, with result, weights
    and caveat burned in; arguments as for `objects`."""
    from highdicom.sc import SCImage

    given = {} if source is None else {
        argument: source.get(name) or None for name, argument in IDENTIFIERS.items()
    }  # fmt: skip
    now = datetime.now()
    if source is None:
        given = {"study_date": now.date(), "study_time": now.time()}
    patient = given | {
        "patient_id": given.get("patient_id") or "PNEUMO",
        "patient_name": given.get("patient_name") or "Placeholder^Pneumo",
    }
    image = SCImage(
        pixel_array=_picture(radiograph, reading, card),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),
        study_instance_uid=generate_uid() if source is None else source.StudyInstanceUID,
        series_instance_uid=generate_uid(),
        series_number=9001,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer=MAKER,
        specific_character_set="ISO_IR 192",
        **patient,
    )
    image.BodyPartExamined = "CHEST"
    # Whether the radiograph may show the patient's name.
    named = any(check.name == "text" and check.outcome != "passed" for check in reading.checks)
    image.BurnedInAnnotation = "YES" if named else "NO"
    image.DerivationDescription = f"Evidence for pneumonia over the radiograph. {CAVEAT}"
    image.SeriesDescription = f"Pneumo {__version__}: {card.title}"
    image.SoftwareVersions = __version__
    if source is not None:
        reference = Dataset()
        reference.ReferencedSOPClassUID = source.SOPClassUID
        reference.ReferencedSOPInstanceUID = source.SOPInstanceUID
        image.SourceImageSequence = [reference]
    return image


def structured_report(
    image: Dataset, reading: Reading, card: Card, source: Dataset | None = None
) -> Dataset:
    """A TID 1500 measurement report on a `secondary_capture`: label, probability, thresholds,
    evidence by zone, and the algorithm with its weights; the rest as for `objects`."""
    from highdicom import sr
    from highdicom.coding_schemes import CodingSchemeIdentificationItem
    from pydicom.sr.codedict import codes

    assert reading.label and reading.policy and reading.probability is not None
    algorithm = sr.AlgorithmIdentification(
        name=f"Pneumo {card.title}",
        version=__version__,
        parameters=[
            f"weights sha256 {reading.weights_sha256}",
            f"policy {reading.policy.name}",
            f"prevalence {reading.prevalence:.4f}",
            CAVEAT,
        ],
    )

    def measured(code: str, meaning: str, value: float | None, **where: Any) -> Any:
        assert value is not None
        name = sr.CodedConcept(code, SCHEME, meaning)
        return sr.Measurement(name, round(value, 6), codes.UCUM.NoUnits, **where)

    shown = image if source is None else source
    pneumonia = sr.CodedConcept("233604007", "SCT", "Pneumonia")
    zones = {
        "upper": codes.SCT.UpperZoneOfLung,
        "middle": codes.SCT.MiddleZoneOfLung,
        "lower": codes.SCT.LowerZoneOfLung,
    }
    sides = {"right": codes.SCT.Right, "left": codes.SCT.Left}
    result = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(generate_uid(), "Radiograph"),
        finding_type=pneumonia,
        algorithm_id=algorithm,
        source_images=[sr.SourceImageForMeasurementGroup(shown.SOPClassUID, shown.SOPInstanceUID)],
        qualitative_evaluations=[
            sr.QualitativeEvaluation(
                sr.CodedConcept("LABEL", SCHEME, "Label given by the thresholds"),
                sr.CodedConcept(reading.label, SCHEME, SAYS[reading.label]),
            )
        ],
        measurements=[
            measured("PROBABILITY", "Probability of pneumonia", reading.probability),
            measured("RULE_OUT", "Rule-out threshold", reading.rule_out),
            measured("RULE_IN", "Rule-in threshold", reading.rule_in),
            *(
                measured(
                    "EVIDENCE_SHARE",
                    "Share of the evidence for pneumonia",
                    zone.share,
                    finding_sites=[sr.FindingSite(zones[zone.zone], sides[zone.lung])],
                )
                for zone in reading.zones
            ),
        ],
    )
    device = sr.DeviceObserverIdentifyingAttributes(
        generate_uid(), name=MAKER, manufacturer_name=MAKER, model_name=card.title
    )
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(
            observer_device_context=sr.ObserverContext(codes.DCM.Device, device)
        ),
        procedure_reported=codes.SCT.ChestImaging,
        imaging_measurements=[result],
        referenced_images=[image],
    )
    return sr.EnhancedSR(
        evidence=[image] if source is None else [image, source],
        content=content,
        series_instance_uid=generate_uid(),
        series_number=9002,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer=MAKER,
        is_complete=True,
        coding_schemes=[CodingSchemeIdentificationItem(SCHEME, name="Codes of Pneumo")],
        series_description=f"Pneumo {__version__}: {card.title}",
    )


def _picture(radiograph: Radiograph, reading: Reading, card: Card) -> np.ndarray:
    """The radiograph with the overlay, uint8 RGB, and a band of text under it."""
    height, width = radiograph.pixels.shape
    factor = SIDE / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    pixels = cv2.resize(radiograph.pixels, size, interpolation=how)
    assert reading.evidence is not None and reading.probability is not None and reading.label
    layer = colour_layer(reading.evidence, pixels.shape, card.evidence.scale)
    where = f", most evidence: {reading.strongest_zone} zone" if reading.strongest_zone else ""
    lines = [
        CAVEAT,
        f"{SAYS[reading.label]}: probability {reading.probability:.1%} at a prevalence of "
        f"{reading.prevalence:.0%}{where}",
        f"{card.title}, Pneumo {__version__}, weights sha256 {reading.weights_sha256[:16]}",
    ]
    if not card.evidence.reliable_side:
        lines.insert(2, "The heatmap does not reliably show which lung is affected.")
    font = ImageFont.load_default(20)
    letters = max(12, size[0] // 10)
    wrapped = [part for line in lines for part in textwrap.wrap(line, letters)]
    canvas = Image.new("RGB", (size[0], size[1] + 26 * len(wrapped) + 12))
    canvas.paste(Image.fromarray(blend(pixels, layer)))
    draw = ImageDraw.Draw(canvas)
    for number, line in enumerate(wrapped):
        draw.text((8, size[1] + 6 + 26 * number), line, font=font, fill="white")
    return np.asarray(canvas)
