"""Arrays and PIL images: what is in memory is analyzed as a file of it would be."""

import io

import numpy as np
import pytest
from PIL import Image

from pneumo.imaging.radiograph import UnreadableImage, read_radiograph
from pneumo.reading.arrays import as_file
from tests.radiographs import synthetic


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    return synthetic(3, size=200)


def pixels_of(image) -> np.ndarray:
    return read_radiograph(as_file(image)[0]).pixels


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int64, np.float32])
def test_grey_of_any_dtype(grey, dtype):
    assert np.array_equal(pixels_of(grey.astype(dtype)), grey)


@pytest.mark.parametrize(
    "make",
    [
        lambda g: g[..., None],
        lambda g: np.dstack([g, g, g, np.full_like(g, 255)]),
        lambda g: g.astype(np.uint16) * 257,
        lambda g: np.repeat(g[..., None] / 255, 3, 2),
        lambda g: np.repeat(g, 2, 1)[:, ::2],
    ],
    ids=["one channel", "rgba", "16 bit", "float rgb", "strided"],
)
def test_shapes_and_scales(grey, make):
    found = pixels_of(make(grey)).astype(int)
    assert abs(found - grey).max() <= 1


def test_rgb_is_read_as_rgb():
    colors = np.zeros((64, 64, 3), np.uint8)
    colors[:32, :, 0], colors[32:, :, 2] = 255, 255  # red above, blue below
    found = pixels_of(colors)
    assert found[:32].mean() > found[32:].mean()


def test_floats_that_are_no_numbers_count_as_black(grey):
    values = grey / 255
    values[:5] = np.nan
    assert (pixels_of(values)[:5] == 0).all()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "I", "I;16", "F", "CMYK"])
def test_pil_images_of_any_mode(grey, mode):
    image = Image.fromarray(grey)
    image = Image.fromarray(grey.astype(np.uint16)) if mode == "I;16" else image.convert(mode)
    found = pixels_of(image).astype(int)
    assert abs(found - grey).max() <= 2


def test_a_pil_image_is_turned_as_its_camera_says(grey):
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG", exif=exif)
    found = pixels_of(Image.open(stream))
    assert np.array_equal(found, np.rot90(grey, -1))


def test_a_pil_image_of_a_damaged_file():
    stream = io.BytesIO()
    Image.fromarray(synthetic(1, size=128)).save(stream, "PNG")
    image = Image.open(io.BytesIO(stream.getvalue()[:3000]))
    with pytest.raises(UnreadableImage, match="damaged"):
        as_file(image)


@pytest.mark.parametrize(
    "image", [None, [[1, 2]], np.zeros((0, 5)), np.zeros((5, 5, 2)), np.zeros((5, 5), complex)]
)
def test_what_is_no_image(image):
    with pytest.raises(TypeError, match="expected"):
        as_file(image)
