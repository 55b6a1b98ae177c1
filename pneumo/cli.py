"""The command line `pneumo`, also as `python -m pneumo`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from pneumo import __version__

# Command -> its help. Its module in pneumo.commands is imported only when it runs, because
# PyTorch takes seconds to load and `data download` needs none of it.
COMMANDS = {
    "app": "open the app in the browser",
    "predict": "analyze radiographs, one record each",
    "evaluate": "score the models, or measure them in a special way",
    "train": "train a model",
    "release": "calibrate, measure and bundle trained weights",
    "publish": "upload the app as a Space, or the models, to the Hugging Face Hub",
    "data": "download or audit the dataset",
    "figures": "draw the pictures of the course's notebooks",
    "examples": "download example radiographs",
    "benchmark": "how fast this machine analyzes radiographs",
}
# What the extras install, by the names that are imported.
EXTRAS = dict.fromkeys(("accelerate", "pyarrow", "scipy", "sklearn", "yaml"), "train")
EXTRAS |= {"highdicom": "dicom", "ray": "ray"}


def main(words: Sequence[str] | None = None) -> int:
    """Run one command, the process's own unless its name and arguments are given.

    0 when all went well, 1 when something could not be read or done, 2 for wrong usage.
    """
    words = sys.argv[1:] if words is None else words
    command = words[0] if words and words[0] in COMMANDS else ""
    try:
        args = _parser(command).parse_args(words)
        return args.run(args)
    except KeyboardInterrupt:
        print(f"\npneumo {command}: stopped.", file=sys.stderr)
    except BrokenPipeError:  # of what was piped into, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in EXTRAS:
            raise
        extra = EXTRAS[missing]
        print(
            f"pneumo {command} needs {missing}, which is not installed. In the folder that Pneumo "
            f"was installed from: pip install '.[{extra}]'",
            file=sys.stderr,
        )
    except Exception as error:
        # What this project raises, and what the disk says, are sentences for the user; anything
        # else is a fault of ours and shows itself whole.
        if not (isinstance(error, OSError) or type(error).__module__.startswith("pneumo.")):
            raise
        print(f"pneumo {command}: {error}", file=sys.stderr)
    return 1


def _parser(command: str) -> argparse.ArgumentParser:
    """The parser of all commands, with the arguments of the one that was named."""
    parser = argparse.ArgumentParser(prog="pneumo", description=__doc__)
    parser.add_argument("--version", action="version", version=f"pneumo {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=text, allow_abbrev=False)
        if name == command:
            module = importlib.import_module(f"pneumo.commands.{name}")
            sub.description = (module.__doc__ or "").partition(": ")[2] or text
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    return parser
