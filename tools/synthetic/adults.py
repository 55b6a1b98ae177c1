"""python -m tools.synthetic.adults DIR ADULTS: draw the synthetic normal adults for training.

DIR is the dataset, which has children only; a network that saw no adult takes an adult's normal
lungs for pneumonia, and its evidence then lies in both. Samples of eigenradiographs show nobody, so
that they can be bundled. The mean is that of normal adults of the half that nothing is measured on;
what varies about it is estimated from these and the dataset's normal children, each group alike:
adults alone would be too few for a sample to resemble none of them.
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
from tools.synthetic.distances import code, measured, real_radiographs
from tools.synthetic.eigenradiographs import eigenradiographs

COUNT = COLUMNS * COLUMNS
# Finer components show children's ribs and streaks: with 200 the samples were farther from the
# adults they are drawn from (Fréchet distance of ImageNet features 0.52; with 40 it is 0.34).
COMPONENTS, SPREAD = 40, 1.1
# Samples keep this much more than the least distance: scaling and JPEG bring them a little nearer.
MARGIN = 1.01
QUALITY = 85  # of the JPEG file


def draw(data: Path, adults: Path, say: Callable[[str], None] = print) -> np.ndarray:
    """Draw radiographs of nobody: uint8, (COUNT, SIDE, SIDE).

    Args:
        data: the dataset's folder.
        adults: folder with images/ and labels.csv, as `evaluation.adults` takes it.
        say: given a line about each step.

    Raises:
        DataError: when a folder cannot be used.
        ValueError: when there are too few normal radiographs.
    """
    table = adult_images(adults)
    used = fitted_patients(sample.path for sample in table)
    preprocessing = Preprocessing(size=224)
    squares = dataset.load_squares(table, preprocessing)
    names = [sample.path.name for sample in table]
    real = measured([code(one) for one in squares], table, names), real_radiographs(data)
    normal = [
        i for i, sample in enumerate(table) if not sample.label and patient_of(sample.path) in used
    ]
    children = dataset.load_squares(
        [sample for sample in dataset.samples(data, "train") if not sample.label], preprocessing
    )
    segmenter = load_segmenter(bundled_folder("checkpoints") / "lungs.safetensors")
    model = eigenradiographs(
        *((some, find_lungs(segmenter, some)) for some in (squares[normal], children)),
        components=COMPONENTS,
    )
    limits = " and ".join(f"{one.limit:.3f}" for one in real)
    say(f"A model of {model.count} radiographs; least distance to adults and children {limits}.")
    rng, tries = np.random.default_rng(0xAD), 0
    kept: list[np.ndarray] = []
    while len(kept) < COUNT:
        tries += 1
        one = model.sample(rng, 224, SPREAD)
        if any(each.nearest(one)[0] < MARGIN * each.limit for each in real):
            continue
        if both_lungs(find_lungs(segmenter, one[None])[0]) is not None:
            kept.append(cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    say(f"{COUNT} of {tries} samples show two lungs and are no nearer to anybody than that.")
    return np.stack(kept)


def main(words: list[str] | None = None) -> int:
    """Draw them and write the file; 0 when all went well."""
    parser = argparse.ArgumentParser(prog="python -m tools.synthetic.adults", description=__doc__)
    parser.add_argument("data", type=Path, help="the dataset's folder, with train/ and test/")
    parser.add_argument("adults", type=Path, help="folder with images/ and labels.csv")
    try:
        args = parser.parse_args(words)
        found = draw(args.data, args.adults)
    except (DataError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    rows = found.reshape(COLUMNS, COLUMNS, SIDE, SIDE).swapaxes(1, 2)
    sheet = rows.reshape(COLUMNS * SIDE, COLUMNS * SIDE)
    cv2.imwrite(str(FILE), sheet, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return 0


if __name__ == "__main__":
    sys.exit(main())
