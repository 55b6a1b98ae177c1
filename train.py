"""Train a network: python train.py --model resnet18 --data data. The same as `pneumo train`."""

import sys

from pneumo.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
