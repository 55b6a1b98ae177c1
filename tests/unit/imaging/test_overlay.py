"""The overlay: absolute, empty without evidence, never overshooting, aligned, without metadata."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pneumo.imaging import overlay

SHAPE = (60, 84)


def peak(height: float = 1.0) -> np.ndarray:
    heat = np.full((7, 7), -0.2, np.float32)
    heat[1, 5] = height
    return heat


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
        elements=st.floats(-5, 5, width=32),
    ),
    st.integers(1, 70),
    st.integers(1, 70),
)
def test_upsampling_stays_between_the_extremes(heat, rows, columns):
    big = overlay.upsample(heat, (rows, columns))
    assert big.shape == (rows, columns) and big.dtype == np.float32
    assert big.min() >= heat.min() and big.max() <= heat.max()


def test_upsampling_passes_through_the_cells_centres():
    heat = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    big = overlay.upsample(heat, (7 * 9, 5 * 9))
    np.testing.assert_allclose(big[4::9, 4::9], heat, atol=1e-6)


def test_no_evidence_is_no_colour_at_all():
    assert not overlay.colour_layer(-np.abs(peak()), SHAPE, 0.1)[..., 3].any()
    assert not overlay.colour_layer(np.zeros((7, 7)), SHAPE, 1.0, "against")[..., 3].any()
    assert overlay.colour_layer(-np.abs(peak()), SHAPE, 0.1, "against")[..., 3].all()


def test_the_scale_is_absolute_and_not_the_images_own():
    weak = overlay.colour_layer(peak(0.1), SHAPE, 1.0)
    strong = overlay.colour_layer(peak(1.0), SHAPE, 1.0)
    assert weak[..., 3].max() < 80 and strong[..., 3].max() == 255
    # Twice the evidence on twice the scale is the same picture.
    again = overlay.colour_layer(peak() * 2, SHAPE, 2.0)
    np.testing.assert_array_equal(strong, again)


@pytest.mark.parametrize("sign", ["for", "against"])
def test_colours_grow_lighter_with_the_evidence(sign):
    table = overlay.colour_table(sign)
    lightness = cv2.cvtColor(table[None], cv2.COLOR_RGB2LAB)[0, :, 0].astype(int)
    assert (np.diff(lightness) >= -1).all() and lightness[-1] - lightness[0] > 100


def test_blending_leaves_the_radiograph_where_the_layer_is_empty():
    grey = np.random.default_rng(1).integers(0, 256, SHAPE, dtype=np.uint8)
    layer = overlay.colour_layer(peak(), SHAPE, 1.0)
    for opacity in (0.0, 0.5, 1.0):
        picture = overlay.blend(grey, layer, opacity)
        empty = layer[..., 3] == 0
        np.testing.assert_array_equal(picture[empty], grey[empty][:, None].repeat(3, 1))
    assert (overlay.blend(grey, layer, 0.0) == grey[..., None]).all()
    full = layer[..., 3] == 255
    np.testing.assert_array_equal(overlay.blend(grey, layer, 1.0)[full], layer[full][:, :3])


def test_contours_surround_the_evidence_and_close_at_the_edge():
    lines = overlay.contours(peak(), (70, 70), 0.5)
    assert len(lines) == 1
    assert cv2.pointPolygonTest(lines[0], (55.0, 15.0), False) > 0
    assert overlay.contours(peak(), (70, 70), 2.0) == []
    corner = np.zeros((7, 7), np.float32)
    corner[0, 0] = 1
    assert len(overlay.contours(corner, (70, 70), 0.5)) == 1


def test_the_legend_is_the_layer():
    shown = overlay.legend(0.4, "against")
    assert shown.ticks == pytest.approx((0, -0.2, -0.4))
    assert shown.opacities[0] == 0 and shown.opacities[-1] == 1
    strongest = overlay.colour_table("against")[-1]
    assert shown.colours[-1] == "#{:02x}{:02x}{:02x}".format(*strongest)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
@pytest.mark.parametrize("fast", [False, True])
def test_png_holds_the_pixels_and_nothing_else(shape, fast):
    array = np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8)
    data = overlay.encode_png(array, fast=fast)
    back = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if array.ndim == 3:
        back = cv2.cvtColor(back, cv2.COLOR_BGR2RGB if shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    np.testing.assert_array_equal(back, array)
    kinds = []
    place = 8
    while place < len(data):
        kinds.append(data[place + 4 : place + 8])
        place += 12 + int.from_bytes(data[place : place + 4], "big")
    assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}


@pytest.mark.parametrize("evidence", [np.full((3, 3), np.nan), np.zeros(3)])
def test_evidence_that_is_no_finite_map_is_refused(evidence):
    with pytest.raises(ValueError):
        overlay.upsample(evidence, SHAPE)
