"""Hostile files are refused or read, told without a secret, whatever was done to them."""

import itertools
import random
import signal
import tracemalloc
import zlib

import cv2
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from pneumo.imaging import dicom_elements, dicom_pixels
from pneumo.imaging.film import MAX_BYTES, MAX_PIXELS, UnreadableFilm
from pneumo.imaging.phantom import phantom
from pneumo.imaging.radiograph import Radiograph, read_radiograph
from tests.imaging.files import (
    PATIENT,
    dicom,
    dicom_bytes,
    dicom_files,
    packed_dicom,
    picture,
    picture_files,
)

FILM = phantom(7, size=96)[0][:90]
ATTACKS = ("flip", "cut", "insert", "huge", "splice")


@pytest.fixture(scope="module")
def film() -> np.ndarray:
    """A small drawn film."""
    return FILM


def refusal(data: bytes, status: str) -> str:
    with pytest.raises(UnreadableFilm) as caught:
        read_radiograph(data)
    assert caught.value.status == status
    return caught.value.sentence


@pytest.mark.filterwarnings("ignore")
def test_nothing_of_the_patient_leaves_the_reader(film: np.ndarray, capfd, caplog) -> None:
    files = [
        dicom_bytes(dicom(film)),
        dicom_bytes(dicom(film, Modality=PATIENT[:16], ViewPosition=PATIENT[:16])),
        dicom_bytes(dicom(film, PhotometricInterpretation=PATIENT[:16])),
        dicom_bytes(dicom(film))[:-500],
        dicom_bytes(dicom(film)).replace(b"DX", b"\xff\xfe"),
    ]
    told = ""
    capfd.readouterr()
    caplog.clear()
    for data in files:
        assert PATIENT.encode() in data
        try:
            read = read_radiograph(data)
            told += read.source + " ".join(read.notes)
        except UnreadableFilm as error:
            told += error.sentence
            assert error.__context__ is None or error.__suppress_context__
    told += "".join(capfd.readouterr()) + caplog.text
    assert "DOE" not in told and "1901" not in told


def test_what_is_no_single_film_is_refused(film: np.ndarray) -> None:
    many = dicom(np.concatenate([film, film]), NumberOfFrames=2, Rows=film.shape[0])
    assert "2 frames" in refusal(dicom_bytes(many), "refused")
    report = dicom(film)
    del report.PixelData
    assert "no picture" in refusal(dicom_bytes(report), "error")
    assert "megapixels" in refusal(dicom_bytes(dicom(film, Rows=20000, Columns=20000)), "refused")
    assert "damaged" in refusal(dicom_bytes(dicom(film, Rows=1000, Columns=1000)), "error")
    assert "values a pixel" in refusal(dicom_bytes(dicom(film, SamplesPerPixel=4)), "refused")


def test_a_compression_that_is_not_read_is_named(film: np.ndarray) -> None:
    made = dicom(film)
    made.PixelData = pydicom.encaps.encapsulate([b"some video"])
    made["PixelData"].is_undefined_length = True
    assert "MPEG-4" in refusal(dicom_bytes(made, "1.2.840.10008.1.2.4.102"), "refused")
    private = dicom_bytes(made, "1.2.840.10008.1.2.4.102")
    private = private.replace(b"1.2.840.10008.1.2.4.102", b"1.2.3.19010203.1.1.1.11")
    secret = refusal(private, "refused")
    assert "private" in secret and "1901" not in secret


def test_without_gdcm_the_compression_is_named(film: np.ndarray, monkeypatch, tmp_path) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text("import sys; sys.stdin.buffer.read(); sys.exit(3)")
    monkeypatch.setattr(dicom_pixels, "WORKER", worker)
    assert "RLE" in refusal(dicom_bytes(dicom(film), RLELossless), "refused")


@pytest.mark.timeout(60)
def test_a_decoder_that_crashes_or_hangs_takes_nothing_with_it(film, monkeypatch, tmp_path) -> None:
    worker = tmp_path / "worker.py"
    monkeypatch.setattr(dicom_pixels, "WORKER", worker)
    faults = [("os.abort()", "damaged"), ("pass", "damaged"), ("sys.exit(1)", "damaged"),
              ("print('x' * 99)", "damaged")]
    if hasattr(signal, "SIGXCPU"):
        faults.append(("signal.raise_signal(signal.SIGXCPU)", "too long"))
    files = dicom_bytes(dicom(film), RLELossless), packed_dicom(film, JPEG2000Lossless)
    for data, (fault, word) in itertools.product(files, faults):
        worker.write_text(f"import os, signal, sys\n{fault}")
        assert word in refusal(data, "error"), fault
    worker.write_text("import time; time.sleep(100)")
    monkeypatch.setattr(dicom_pixels, "WORKER_SECONDS", 1)
    for data in files:
        assert "too long" in refusal(data, "error")


@pytest.mark.skipif(not hasattr(signal, "SIGXCPU"), reason="this system has no such limits")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("limit, greed", [("_SECONDS = 12", "while True: pass"),
                                          ("_MEMORY = 2 << 30", "bytearray(300 << 20)")])
def test_a_decoder_is_held_to_computing_time_and_memory(film, monkeypatch, tmp_path,
                                                        limit: str, greed: str) -> None:
    text = dicom_pixels.WORKER.read_text()
    name = limit.partition(" ")[0]
    less = {"_SECONDS": "_SECONDS = 1", "_MEMORY": "_MEMORY = 200 << 20"}[name]
    start = "    frame = sys.stdin.buffer.read()\n"
    assert limit in text and start in text
    worker = tmp_path / "worker.py"
    worker.write_text(text.replace(limit, less).replace(start, f"{start}    {greed}\n"))
    monkeypatch.setattr(dicom_pixels, "WORKER", worker)
    # Only the limit on computing may end it, not the one on waiting.
    monkeypatch.setattr(dicom_pixels, "WORKER_SECONDS", 600)
    word = "too long" if name == "_SECONDS" else "damaged"
    assert word in refusal(packed_dicom(film, JPEG2000Lossless), "error")


def test_a_deflated_bomb_is_stopped(film: np.ndarray) -> None:
    made = dicom_bytes(dicom(film), DeflatedExplicitVRLittleEndian)
    _, start = dicom_elements._file_meta(made, 132)
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    zeros = b"\0" * (1 << 20)
    bomb = b"".join(packer.compress(zeros) for _ in range(300)) + packer.flush()
    assert len(bomb) < 4 << 20
    tracemalloc.start()
    try:
        assert "MB" in refusal(made[:start] + bomb, "refused")
        # Its pieces and the whole: what lies behind the limit was not unpacked.
        assert tracemalloc.get_traced_memory()[1] < 2.2 * MAX_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.timeout(30)
def test_shredded_and_nested_headers_are_stopped() -> None:
    start = b"\0" * 128 + b"DICM" + b"\x08\0\x05\0CS\0\0"
    refusal(start + b"\x09\0\x01\0LO\0\0" * 1_000_000, "refused")
    nest = b"\x09\0\x01\0SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"
    refusal(start + nest * 500_000, "error")


def test_a_stream_larger_than_declared_is_not_decoded(film: np.ndarray, monkeypatch) -> None:
    made = dicom(film)
    made.PixelData = pydicom.encaps.encapsulate([picture(np.zeros((900, 900), np.uint8), "JPEG")])
    made["PixelData"].is_undefined_length = True
    made["PixelData"].VR = "OB"
    data = dicom_bytes(made, pydicom.uid.JPEGBaseline8Bit)
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("it was decoded"))
    assert "damaged" in refusal(data, "error")


def test_a_png_that_declares_a_part_of_two_gigabytes_is_not_believed(film, monkeypatch) -> None:
    data = picture_files(film)["PNG 16-bit RGB"]
    at = data.index(b"IDAT")
    # OpenCV would make room for whatever is declared.
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
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
    deep = FILM.astype(np.uint16) * 257
    return [
        *picture_files(FILM).values(),
        picture(FILM, "JPEG"),
        picture(FILM, "JPEG", progressive=True),
        *dicom_files(FILM).values(),
        packed_dicom(FILM),
        packed_dicom(deep, JPEG2000Lossless, 16),
        dicom_bytes(dicom(deep), RLELossless),
    ]


def peak_memory() -> int:
    """The most memory this process has held so far, in KB; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def check_outcome(files: list[bytes], which: int, seed: int) -> None:
    """A mutated file gives a film within the limits or a sentence, within 1 GB."""
    before = peak_memory()
    data = mutated(files[which % len(files)], files[seed % len(files)], seed)
    try:
        read = read_radiograph(data)
        assert peak_memory() - before < 1 << 20
    except UnreadableFilm as error:
        assert peak_memory() - before < 1 << 20
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
def test_any_damage_gives_a_film_or_a_sentence(files, which: int, seed: int) -> None:
    check_outcome(files, which, seed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@given(**numbers)
@settings(fuzzing, max_examples=20_000)
def test_much_damage_gives_a_film_or_a_sentence(files, which: int, seed: int) -> None:
    check_outcome(files, which, seed)


@given(st.binary(max_size=2000))
@settings(fuzzing, max_examples=200)
def test_any_bytes_give_a_sentence(data: bytes) -> None:
    with pytest.raises(UnreadableFilm):
        read_radiograph(data)


@given(st.binary(max_size=400))
@settings(fuzzing, max_examples=200)
def test_any_bytes_after_a_dicom_preamble_give_a_sentence(data: bytes) -> None:
    with pytest.raises(UnreadableFilm):
        read_radiograph(b"\0" * 128 + b"DICM\x08\0" + data)
