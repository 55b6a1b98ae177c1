"""python -m pneumo: calls pneumo.cli."""

import sys

from pneumo.cli import main

if __name__ == "__main__":
    sys.exit(main())
