"""The overlay: absolute, empty without evidence, never overshooting, aligned, without metadata."""

import numpy as np

from pneumo.imaging import overlay

SHAPE = (60, 84)


def peak(height: float = 1.0) -> np.ndarray:
    heat = np.full((7, 7), -0.2, np.float32)
    heat[1, 5] = height
    return heat


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
