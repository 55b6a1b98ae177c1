"""Train a network and write its checkpoint: python train.py --model resnet18 --data data."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import fields
from pathlib import Path

from pneumo.models.checkpoint import BUNDLED
from pneumo.models.networks import NETWORKS, network_names
from pneumo.training.dataset import DataError
from pneumo.training.fit import ResumeError
from pneumo.training.initial import InitialError
from pneumo.training.recipe import Recipe
from pneumo.training.session import Paths, train


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
    p.add_argument("--unfreeze", default="layer4", metavar="MODULE|all",
                   help="first trunk module to train in the second phase (default: layer4)")
    p.add_argument("--lungs", type=Path, metavar="DIR",
                   help="lung masks NORMAL/STEM.png, PNEUMONIA/STEM.png of train films; "
                   "evidence outside the lungs is then penalised")
    p.add_argument("--evidence", type=float, default=1.0, help="weight of that penalty")
    p.add_argument("--learning-rate", type=float, help="peak (default: the network's own)")
    p.add_argument("--epochs", type=int, help="of the second phase (default: 7, cnn 12)")
    for name in ("frozen_epochs", "size", "low_size", "low_epochs", "batch", "head_learning_rate",
                 "weight_decay", "label_smoothing", "ema", "wrong_sign", "folds", "fold", "seed"):
        default = next(f.default for f in fields(Recipe) if f.name == name)
        default = 1 if name == "frozen_epochs" else default
        p.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default,
                       help=f"default {default}")
    p.add_argument("--out", type=Path, default=BUNDLED, metavar="DIR", help="checkpoints go here")
    p.add_argument("--run", type=Path, metavar="DIR",
                   help="log and resumable state (default: runs/MODEL)")
    p.add_argument("--resume", action="store_true", help="continue the run where it was stopped")
    p.add_argument("--score-test", action="store_true",
                   help="score the finished weights on the test split, once, at the very end")
    p.add_argument("--threads", type=int, help="CPU threads (default: torch's choice)")
    return p


def main(words: list[str] | None = None) -> int:
    """Run; returns the exit code: 0 done, 1 stopped or impossible, 2 wrong usage."""
    arguments = parser().parse_args(words)
    if arguments.threads:
        import torch

        torch.set_num_threads(arguments.threads)
    trunk = NETWORKS[arguments.model].trunk
    values = {f.name: getattr(arguments, f.name) for f in fields(Recipe)
              if hasattr(arguments, f.name)}
    values["frozen_epochs"] = arguments.frozen_epochs if trunk else 0
    values["epochs"] = arguments.epochs if arguments.epochs is not None else (7 if trunk else 12)
    values["learning_rate"] = (
        arguments.learning_rate or NETWORKS[arguments.model].learning_rate
    )
    values["evidence"] = arguments.evidence if arguments.lungs else 0.0
    init = arguments.init or ("imagenet" if trunk else "scratch")
    run = arguments.run or Path("runs") / arguments.model
    paths = Paths(arguments.data, arguments.lungs, run, arguments.out)
    try:
        train(Recipe(**values), init, paths, resume=arguments.resume,
              score_test=arguments.score_test)
    except (DataError, InitialError, ResumeError, FloatingPointError, ValueError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ntrain.py: stopped. Add --resume to the same command to continue after the last "
              "whole epoch.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
