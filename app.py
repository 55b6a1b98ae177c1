"""The app: `python app.py`, or as it is on a Hugging Face Space. The same as `pneumo app`."""

import sys

from pneumo.cli import main

if __name__ == "__main__":
    sys.exit(main(["app", *sys.argv[1:]]))
