"""python -m tools.synthetic.adults DIR: draw the synthetic normal adults that training uses.

The dataset has children only; a network that saw no adult takes an adult's normal lungs for
pneumonia, and its evidence then lies in both. Samples of the eigenradiographs of normal adults show
nobody, so that they can be bundled. Only patients of the half that nothing is measured on are used.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from pneumo.data import dataset
from pneumo.data.dataset import DataError
from pneumo.data.synthetic_adults import COLUMNS, FILE, SIDE
from pneumo.evaluation.adults import adult_images, fitted_patients, patient_of
from pneumo.files import bundled_folder
from pneumo.models.lungs import both_lungs, find_lungs
from pneumo.models.preprocess import Preprocessing
from pneumo.models.segmenter import load_segmenter
from tools.synthetic.distances import code, measured
from tools.synthetic.eigenradiographs import eigenradiographs

COUNT = COLUMNS * COLUMNS
COMPONENTS, SHAPES, FEWEST, SPREAD = 60, 15, 100, 0.9
QUALITY = 85  # of the JPEG file


def draw(adults: Path, say: Callable[[str], None] = print) -> np.ndarray:
    """Draw radiographs of nobody: uint8, (COUNT, SIDE, SIDE).

    Args:
        adults: folder with images/ and labels.csv, as `evaluation.adults` takes it.
        say: given a line about each step.

    Raises:
        DataError: when the folder cannot be used.
        ValueError: when it has too few normal radiographs.
    """
    table = adult_images(adults)
    used = fitted_patients(sample.path for sample in table)
    squares = dataset.load_squares(table, Preprocessing(size=224))
    real = measured([code(one) for one in squares], table, [s.path.name for s in table])
    normal = [
        i for i, sample in enumerate(table) if not sample.label and patient_of(sample.path) in used
    ]
    segmenter = load_segmenter(bundled_folder("checkpoints") / "lungs.safetensors")
    model = eigenradiographs(
        squares[normal], find_lungs(segmenter, squares[normal]), COMPONENTS, SHAPES, FEWEST
    )
    say(f"A model of {model.count} normal adults; limit of the distance {real.limit:.3f}.")
    rng, tries = np.random.default_rng(0xAD), 0
    kept: list[np.ndarray] = []
    while len(kept) < COUNT:
        tries += 1
        one = model.sample(rng, 224, SPREAD)
        if real.nearest(one)[0] < real.limit:
            continue
        if both_lungs(find_lungs(segmenter, one[None])[0]) is not None:
            kept.append(cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    say(f"{COUNT} of {tries} samples show two lungs and are no nearer to anybody than that.")
    return np.stack(kept)


def main(words: list[str] | None = None) -> int:
    """Draw them and write the file; 0 when all went well."""
    parser = argparse.ArgumentParser(prog="python -m tools.synthetic.adults", description=__doc__)
    parser.add_argument("adults", type=Path, help="folder with images/ and labels.csv")
    try:
        found = draw(parser.parse_args(words).adults)
    except (DataError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    rows = found.reshape(COLUMNS, COLUMNS, SIDE, SIDE).swapaxes(1, 2)
    sheet = rows.reshape(COLUMNS * SIDE, COLUMNS * SIDE)
    cv2.imwrite(str(FILE), sheet, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return 0


if __name__ == "__main__":
    sys.exit(main())
