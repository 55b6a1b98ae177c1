"""The command line: python -m pneumo predict | evaluate | benchmark | data | card | ..."""

from __future__ import annotations

import argparse
import importlib
import sys

# Sub-command -> module and help; a module is imported only when its command runs, because
# training's libraries take seconds to load and predict needs none of them.
COMMANDS = {
    "predict": ("pneumo.commands.predict", "read films, one record each"),
    "evaluate": ("pneumo.commands.evaluate", "score the networks on a labelled folder"),
    "guard": ("pneumo.commands.guard", "fit the guard against wrong pictures, or measure it"),
    "corruptions": ("pneumo.commands.corruptions", "how the networks do on spoiled films"),
    "benchmark": ("pneumo.commands.benchmark", "how fast it works on this machine"),
    "data": ("pneumo.commands.data", "download or audit the dataset"),
    "release": ("pneumo.commands.release", "bundle the seed that is best on validation"),
    "decide": ("pneumo.commands.decide", "fix thresholds and UNCERTAIN anew on validation"),
    "card": ("pneumo.commands.card", "write the model card and the README's results table"),
    "examples": ("pneumo.commands.examples", "make, measure or download example films"),
}


def main(words: list[str] | None = None) -> int:
    """Run one sub-command.

    Returns:
        0 when all went well, 1 when something could not be read or done, 2 for wrong usage.
    """
    words = sys.argv[1:] if words is None else words
    parser = argparse.ArgumentParser(prog="python -m pneumo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = words[0] if words and words[0] in COMMANDS else None
    for name, (module, text) in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        if name == chosen:
            loaded = importlib.import_module(module)
            loaded.add_arguments(sub)
            sub.set_defaults(run=loaded.run)
    args = parser.parse_args(words)
    try:
        return args.run(args)
    except Exception as error:
        # What this project raises, and what the disk says, are sentences for the person; anything
        # else is a mistake of ours and shows itself whole.
        if not (isinstance(error, OSError) or type(error).__module__.startswith("pneumo.")):
            raise
        print(f"pneumo {args.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\npneumo {args.command}: stopped.", file=sys.stderr)
        return 1
