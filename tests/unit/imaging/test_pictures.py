"""Picture files: every format gives the same image, and what cannot be read is said plainly."""

import os
import stat
import struct

import numpy as np
import pytest
from PIL import Image

from pneumo.imaging.messages import NOTES
from pneumo.imaging.radiograph import MAX_BYTES, MAX_PIXELS, UnreadableImage, read_radiograph
from tests.unit.imaging.files import chest, deep_png, picture, picture_files


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    return chest(240, 256)


def refusal(file: object, status: str = "error") -> UnreadableImage:
    """What a file is turned down with."""
    with pytest.raises(UnreadableImage) as caught:
        read_radiograph(file)
    assert caught.value.status == status and caught.value.sentence.endswith(".")
    assert "DOE" not in caught.value.sentence
    return caught.value


def reason(file: object, status: str = "error") -> str:
    return refusal(file, status).code


def test_every_lossless_format_gives_the_same_image(grey: np.ndarray) -> None:
    for name, data in picture_files(grey).items():
        read = read_radiograph(data)
        assert np.abs(read.pixels.astype(int) - grey).max() <= 1, name
        assert not read.notes, name


def test_a_raw_export_that_uses_little_of_its_range_is_stretched(grey: np.ndarray) -> None:
    raw = (grey.astype(np.uint16) * 20 + 3000).astype(np.uint16)
    read = read_radiograph(picture(raw, "PNG"))
    assert np.ptp(read.pixels) == 255
    assert np.corrcoef(read.pixels.ravel(), grey.ravel())[0, 1] > 0.99


def test_jpegs_of_every_colour_layout(grey: np.ndarray) -> None:
    image = Image.fromarray(grey)
    for mode in ("L", "RGB", "CMYK"):
        for progressive in (False, True):
            data = picture(image.convert(mode), "JPEG", quality=98, progressive=progressive)
            read = read_radiograph(data)
            assert np.abs(read.pixels.astype(int) - grey).mean() < 2.5, mode


def test_exif_orientation_is_applied_and_exif_is_left_behind(grey: np.ndarray) -> None:
    turned = Image.fromarray(grey).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "secret camera"
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        read = read_radiograph(picture(turned.convert("RGB"), kind, exif=exif, **options))
        assert np.abs(read.pixels.astype(int) - grey).max() <= 1, kind
        assert "secret" not in repr(read)


def test_colour_is_noticed_in_eight_and_sixteen_bits(grey: np.ndarray) -> None:
    red = np.stack([grey, grey // 2, grey // 2], axis=-1)
    for data in (picture(red, "PNG"), deep_png(red[..., ::-1].astype(np.uint16) * 257)):
        read = read_radiograph(data)
        assert read.notes == (NOTES["colour"],)
        luma = np.asarray(Image.fromarray(red).convert("L")).astype(int)
        assert np.abs(read.pixels - luma).max() <= 1


def declaring(width: int, height: int) -> bytes:
    """A small PNG whose header declares an image of this size."""
    data = picture(Image.new("L", (4, 4)), "PNG")
    return data[:16] + struct.pack(">II", width, height) + data[24:]


def test_limits_are_named(tmp_path) -> None:
    large, long = refusal(declaring(10_000, 10_000), "refused"), declaring(40_000, 4)
    assert large.code == "pixels" and "10,000 x 10,000" in large.sentence
    assert str(MAX_PIXELS // 10**6) in large.sentence and MAX_PIXELS >= 8000 * 8000
    assert "30,000" in refusal(long, "refused").sentence
    big = tmp_path / "big.png"
    with big.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    assert f"{MAX_BYTES // 1024**2} MB" in refusal(big, "refused").sentence


def test_several_frames_are_refused(grey: np.ndarray) -> None:
    frames = [Image.fromarray(grey), Image.fromarray(255 - grey)]
    for kind in ("TIFF", "PNG", "WEBP"):
        data = picture(frames[0], kind, save_all=True, append_images=frames[1:])
        assert reason(data, "refused") == "frames"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
def test_truncated_files_are_errors(grey: np.ndarray, kind: str) -> None:
    data = picture(grey, kind)
    for length in (len(data) // 2, len(data) * 9 // 10):
        assert reason(data[:length]) == "damaged"
    assert reason(data[:9])


def test_places_that_hold_no_image(tmp_path) -> None:
    assert reason(tmp_path) == "folder"
    assert reason(tmp_path / "DOE_JOHN_19010203.png") == "missing"
    (tmp_path / "empty.png").touch()
    assert reason(tmp_path / "empty.png") == "empty"
    for odd in ("", "\0", "http://127.0.0.1/grey.png", "file:///etc/passwd", "a" * 5000):
        assert reason(odd)
    assert reason(b"")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.timeout(20)
def test_pipes_and_devices_do_not_hang(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert reason(tmp_path / "pipe", "refused") == "device"
    if os.path.exists("/dev/zero") and stat.S_ISCHR(os.stat("/dev/zero").st_mode):
        assert reason("/dev/zero", "refused") == "device"
