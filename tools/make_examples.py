"""python -m tools.make_examples pool | choose | check: the synthetic radiographs of examples/.

`pool` makes candidates from the dataset (hours at low priority; it can be resumed), `choose` picks
examples/ and examples/teaching/ from them by the bundled networks, after each change of weights;
`check` proves that none is near to a real radiograph.
"""

import argparse
import sys
from pathlib import Path

import cv2
import torch

from pneumo.data.dataset import DataError
from pneumo.models.checkpoint import CheckpointError, available_models
from pneumo.reading.reader import Reader
from tools.synthetic.choose import TEACHING, choose, read_cases
from tools.synthetic.distances import real_radiographs, report
from tools.synthetic.pool import ExampleError, fill, load_source, names_of


def main(words: list[str] | None = None) -> int:
    """Run a sub-command; 0 when all went well, 1 when something does not pass or is missing."""
    parser = argparse.ArgumentParser(prog="python -m tools.make_examples", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    pool = commands.add_parser("pool", help="make the candidates that a folder lacks")
    pool.add_argument("pool", type=Path, help="a folder outside the repository")
    pool.add_argument("--normal", type=int, default=30, help="default 30")
    pool.add_argument("--opacities", type=int, default=40, help="default 40")
    pool.set_defaults(act=_pool)
    chooser = commands.add_parser("choose", help="choose both sets by the bundled networks")
    chooser.add_argument("pool", type=Path)
    chooser.add_argument("--out", type=Path, default=Path("examples"), help="default examples")
    chooser.add_argument("--count", type=int, default=10, help="of the gallery (default 10)")
    chooser.add_argument("--teaching", type=int, default=24, help="of the set (default 24)")
    chooser.add_argument(
        "--anyway", action="store_true", help="write the sets even when the pool cannot fill them"
    )
    chooser.set_defaults(act=_choose)
    check = commands.add_parser("check", help="print each one's distance to real radiographs")
    check.add_argument("folder", type=Path, nargs="?", default=Path("examples"))
    check.set_defaults(act=_check)
    for command in (pool, check):
        command.add_argument(
            "--data", type=Path, required=True, help="dataset: train/ and test/ of both classes"
        )
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        return args.act(args)
    except (ExampleError, DataError, CheckpointError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _pool(args: argparse.Namespace) -> int:
    names = names_of(args.normal, args.opacities)
    fill(args.pool, names, lambda: load_source(args.data), lambda line: print(line, flush=True))
    return 0


def _choose(args: argparse.Namespace) -> int:
    readers = [Reader(name) for name in available_models()]
    print(*choose(args.pool, args.out, readers, args.count, args.teaching, args.anyway), sep="\n")
    return 0


def _check(args: argparse.Namespace) -> int:
    real = real_radiographs(args.data)
    folders = [args.folder, args.folder / TEACHING]
    return int(sum(report(folder, read_cases(folder), real) for folder in folders) > 0)


if __name__ == "__main__":
    sys.exit(main())
