"""Arrays and PIL images: what is in memory is analyzed as a file of it would be."""

import io

import numpy as np
import pytest
from PIL import Image

from pneumo.imaging.radiograph import UnreadableImage, read_radiograph
from pneumo.reading.arrays import as_file
from tests.radiographs import synthetic
from tests.unit.imaging.files import picture


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    return synthetic(3, size=200)


def pixels_of(image) -> np.ndarray:
    return read_radiograph(as_file(image)[0]).pixels


DTYPES = (np.uint8, np.uint16, np.int16, np.int64, np.float32)
IN_MEMORY = {
    **{np.dtype(one).name: lambda g, one=one: g.astype(one) for one in DTYPES},
    "one channel": lambda g: g[..., None],
    "rgba": lambda g: np.dstack([g, g, g, np.full_like(g, 255)]),
    "16 bit": lambda g: g.astype(np.uint16) * 257,
    "float rgb": lambda g: np.repeat(g[..., None] / 255, 3, 2),
    "strided": lambda g: np.repeat(g, 2, 1)[:, ::2],
    "PIL I;16": lambda g: Image.fromarray(g.astype(np.uint16)),
    **{
        f"PIL {mode}": lambda g, mode=mode: Image.fromarray(g).convert(mode)
        for mode in ("L", "RGB", "RGBA", "LA", "P", "I", "F", "CMYK")
    },
}


@pytest.mark.parametrize("name", IN_MEMORY)
def test_any_array_and_pil_image_gives_the_same_pixels(grey, name):
    assert abs(pixels_of(IN_MEMORY[name](grey)).astype(int) - grey).max() <= 1


def test_rgb_is_read_as_rgb():
    colors = np.zeros((64, 64, 3), np.uint8)
    colors[:32, :, 0], colors[32:, :, 2] = 255, 255  # red above, blue below
    found = pixels_of(colors)
    assert found[:32].mean() > found[32:].mean()


def test_floats_that_are_no_numbers_count_as_black(grey):
    values = grey / 255
    values[:5] = np.nan
    assert (pixels_of(values)[:5] == 0).all()


def test_a_pil_image_is_turned_as_its_camera_says_and_a_damaged_one_is_told(grey):
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = picture(grey, "PNG", exif=exif)
    assert np.array_equal(pixels_of(Image.open(io.BytesIO(stored))), np.rot90(grey, -1))
    with pytest.raises(UnreadableImage, match="damaged"):
        as_file(Image.open(io.BytesIO(stored[:3000])))


@pytest.mark.parametrize(
    "image", [None, [[1, 2]], np.zeros((0, 5)), np.zeros((5, 5, 2)), np.zeros((5, 5), complex)]
)
def test_what_is_no_image(image):
    with pytest.raises(TypeError, match="expected"):
        as_file(image)
