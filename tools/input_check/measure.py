"""Measures the input check on images that it was not fitted on.

These are the validation patients of the dataset, half of the adult patients, and for every kind of
other image an input check that was fitted without that kind.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from pneumo.data.transforms import generator
from pneumo.evaluation.metrics import proportion
from pneumo.imaging.radiograph import Radiograph
from pneumo.models.card import Estimate
from pneumo.reading.input_check import InputCheck, InputCheckFile, RefusalRow, WarningRow
from tools.input_check.fit import Fit
from tools.input_check.images import Change, cropped, degraded, faint, reframed, varied, with_text
from tools.input_check.material import ADULTS, CHILDREN, OTHER_COPIES, Material, changed

NORMAL_CHILDREN = "children without pneumonia"
REFUSED = "chest.not_frontal"
TEXT_SIDE = 300  # pixels that a radiograph needs for legible text


def refusals(fit: Fit, file: InputCheckFile, material: Material) -> Iterator[RefusalRow]:
    """How many images of each kind are refused, radiographs first."""
    check = InputCheck(file)
    for population, radiographs in material.held_out.items():
        yield RefusalRow(population, "", True, _refused(check, radiographs))
        for change in (degraded, faint, reframed):
            share = _refused(check, changed(radiographs, change))
            yield RefusalRow(population, change.__name__, True, share)
    for kind, images in material.not_chest.items():
        without = InputCheck(replace(file, chest=fit.chest(kind)))
        yield RefusalRow(kind, "", False, _refused(without, images))
        if images[0].source not in ("drawn", "copy"):
            share = _refused(without, changed(images, varied, OTHER_COPIES))
            yield RefusalRow(kind, "varied", False, share)


def warnings(file: InputCheckFile, material: Material) -> Iterator[WarningRow]:
    """How often each warning is right."""
    check = InputCheck(file)
    seen = {name: _codes(check, images) for name, images in material.held_out.items()}
    normal = [
        codes for codes, is_one in zip(seen[CHILDREN], material.normal, strict=True) if is_one
    ]
    adult = "population.adult"
    yield WarningRow(adult, CHILDREN, "", _share(adult, seen[CHILDREN]), None)
    yield WarningRow(adult, NORMAL_CHILDREN, "", _share(adult, normal), None)
    yield WarningRow(adult, ADULTS, "", None, _share(adult, seen[ADULTS], REFUSED))
    for population, images in material.held_out.items():
        for change, (code, how) in POSITIONS.items():
            if code == "upright.mirrored" and population == ADULTS:
                continue  # they are not asked for it
            found = _share(code, _codes(check, changed(images, how)), REFUSED)
            yield WarningRow(code, population, change, _share(code, seen[population]), found)
    text = "text.burned_in"
    large = [one for one in material.held_out[ADULTS] if min(one.pixels.shape) >= TEXT_SIDE]
    if large:
        written = [
            Radiograph(with_text(one.pixels, generator(6, index)), "copy")
            for index, one in enumerate(large)
        ]
        plain, found = _share(text, _codes(check, large)), _share(text, _codes(check, written))
        yield WarningRow(text, ADULTS, "a name and a date burned in", plain, found)


def _turn(quarters: int) -> Change:
    return lambda square, _: np.ascontiguousarray(np.rot90(square, -quarters))


# What was done to a radiograph -> the code that should be found, and how it is done.
POSITIONS: dict[str, tuple[str, Change]] = {
    "turned by 90 degrees": ("upright.turned_90", _turn(1)),
    "turned by 180 degrees": ("upright.turned_180", _turn(2)),
    "turned by 270 degrees": ("upright.turned_270", _turn(3)),
    "flipped upside down": ("upright.turned_180", lambda square, _: square[::-1].copy()),
    "mirrored": ("upright.mirrored", lambda square, _: square[:, ::-1].copy()),
    "cropped": ("whole.cropped", cropped),
}


def _refused(check: InputCheck, images: Sequence[Radiograph]) -> Estimate:
    failed = sum(any(c.outcome == "failed" for c in check.examine(image)) for image in images)
    return proportion(failed, len(images))


def _codes(check: InputCheck, images: Sequence[Radiograph]) -> list[set[str]]:
    return [{one.code for one in check.examine(image)} for image in images]


def _share(code: str, found: Sequence[set[str]], other: str = "") -> Estimate:
    return proportion(sum(bool(codes & {code, other}) for codes in found), len(found))
