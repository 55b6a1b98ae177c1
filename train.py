"""Train a network and write its checkpoint: python train.py --model resnet18 --data data.

On several cores, devices or machines: torchrun --standalone --nproc-per-node 2 -- train.py ...
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import Field, fields, replace
from pathlib import Path

from pneumo.training.idle_threads import sleep_soon

sleep_soon()  # before torch is imported

from pneumo.data.dataset import DataError
from pneumo.models.checkpoint import BUNDLED, CheckpointError
from pneumo.models.networks import NETWORKS, network_names
from pneumo.training.allocator import keep_freed_memory
from pneumo.training.initial import InitialError
from pneumo.training.processes import join
from pneumo.training.recipe import RELEASED, Recipe
from pneumo.training.run import Paths, train
from pneumo.training.state import ResumeError
from pneumo.training.team import TeamError


def parser() -> argparse.ArgumentParser:
    """The command line; every number of the recipe is a flag."""
    p = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    p.add_argument("--model", required=True, choices=network_names())
    p.add_argument(
        "--data", type=Path, default=Path(os.environ.get("PNEUMO_DATA", "data")), metavar="DIR",
        help="folder with train/NORMAL and train/PNEUMONIA (default: PNEUMO_DATA, else data)",
    )
    p.add_argument("--init", default=None, metavar="imagenet|scratch|PATH",
                   help="starting weights (default: imagenet where there are any, else scratch)")
    p.add_argument("--lungs", type=Path, metavar="DIR",
                   help="lung masks NORMAL/STEM.png, PNEUMONIA/STEM.png of train films (default: "
                   "lung_masks/train in or beside the data); without any, evidence outside the "
                   "lungs is not penalised and there are no lung epochs")
    p.add_argument("--adults-data", type=Path, metavar="DIR",
                   help="adult films: DIR/images and DIR/labels.csv; --adults says how many")
    p.add_argument("--teacher", type=Path, nargs="+", metavar="CARD",
                   help="cards (json) of the checkpoints whose mean answer --distil and "
                   "--early-distil learn from")
    for f in fields(Recipe):
        if f.name not in ("model", "augmentation"):
            kind = {"int": int, "float": float, "str": str}[f.type]
            p.add_argument(f"--{f.name.replace('_', '-')}", type=kind, help=_defaults(f))
    p.add_argument("--out", type=Path, default=BUNDLED, metavar="DIR", help="checkpoints go here")
    p.add_argument("--run", type=Path, metavar="DIR",
                   help="log and resumable state (default: runs/MODEL)")
    p.add_argument("--resume", action="store_true", help="continue the run where it was stopped")
    p.add_argument("--score-test", action="store_true",
                   help="score the finished weights on the test split, once, at the very end")
    p.add_argument("--threads", type=int, help="CPU threads (default: torch's choice)")
    return p


def _defaults(f: Field) -> str:
    released = {name: RELEASED[name].get(f.name, f.default) for name in network_names()}
    same = len(set(released.values())) == 1
    each = ", ".join(f"{name} {value}" for name, value in released.items())
    return f"default: {released.popitem()[1] if same else each}"


def _lungs_near(data: Path) -> Path | None:
    near = [folder / "lung_masks" / "train" for folder in (data, data.parent)]
    return next((folder for folder in near if folder.is_dir()), None)


def main(words: list[str] | None = None) -> int:
    """Run; returns the exit code: 0 done, 1 stopped or impossible, 2 wrong usage."""
    arguments = parser().parse_args(words)
    if arguments.threads:
        import torch

        torch.set_num_threads(arguments.threads)
    given = {f.name: value for f in fields(Recipe)
             if f.name != "model" and (value := getattr(arguments, f.name, None)) is not None}
    # Without adult films or a teacher the recipe is the same but for them.
    if arguments.adults_data is None:
        given = {"adults": 0.0, "early_adults": 0.0, **given}
    if arguments.teacher is None:
        given = {"distil": 0.0, "early_distil": 0.0, **given}
    lungs = arguments.lungs or _lungs_near(arguments.data)
    if lungs is None:
        given |= {"evidence": 0.0, "lung_epochs": 0, "early_hidden": 0.0, "early_replaced": 0.0}
    try:
        recipe = Recipe.released(arguments.model, **given)
    except ValueError as error:
        parser().error(str(error))
    if not recipe.lung_epochs:  # in which alone they would count
        recipe = replace(recipe, adults=0.0, distil=0.0, before_lungs=0.0, halves=0.0, keep=0.0)
    if (recipe.adults or recipe.early_adults) and arguments.adults_data is None:
        parser().error("adult films need a folder: --adults-data DIR")
    if (recipe.distil or recipe.early_distil) and arguments.teacher is None:
        parser().error("--distil and --early-distil need a trained network: --teacher CARD")
    trunk = NETWORKS[arguments.model].trunk
    init = arguments.init or ("imagenet" if trunk else "scratch")
    run = arguments.run or Path("runs") / arguments.model
    paths = Paths(arguments.data, lungs, run, arguments.out, arguments.adults_data,
                  tuple(arguments.teacher or ()))
    keep_freed_memory()
    processes = join()
    try:
        train(recipe, init, paths, resume=arguments.resume,
              score_test=arguments.score_test, processes=processes)
    except (DataError, CheckpointError, InitialError, ResumeError, FloatingPointError,
            TeamError, ValueError) as error:
        processes.say_once(f"train.py: {error}")
        return 1
    except KeyboardInterrupt:
        processes.say_once("\ntrain.py: stopped. Add --resume to the same command to continue "
                           "after the last whole epoch.")
        return 1
    except RuntimeError:
        if not processes.said():  # else the connection to a process that ended broke
            raise
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
