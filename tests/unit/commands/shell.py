"""Running the project's own commands inside the test process."""

from pneumo.cli import main


def run(*words: object) -> int:
    """Exit code of `python -m pneumo WORDS`; wrong usage ends as argparse ends it, with 2."""
    try:
        return main([str(word) for word in words])
    except SystemExit as exit_:
        return exit_.code
