"""pneumo app: the app in the browser, as `python app.py` starts it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-command's arguments."""
    parser.add_argument(
        "--examples", type=Path, metavar="DIR", help="a local folder of images for the gallery"
    )
    text = "models of the Hugging Face Hub instead of the checkpoints folder"
    parser.add_argument("--model", metavar="hf://OWNER/NAME@REVISION", help=text)
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    parser.set_defaults(usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """Serve until stopped.

    Raises:
        CheckpointError: when the models named cannot be fetched.
    """
    if args.examples and not args.examples.is_dir():
        args.usage_error(f"there is no folder {args.examples}")
    import pneumo.ui.zerogpu  # noqa: F401  before torch, as ZeroGPU wants it
    from pneumo.models.checkpoint import available_models, fetch

    address = args.model
    if not address and not available_models() and sys.stdin and sys.stdin.isatty():
        print("There is no model here. Fetch one from the Hugging Face Hub?")
        address = input("hf://OWNER/NAME@REVISION, or Enter to go on without: ").strip()
    if address:
        os.environ["PNEUMO_CHECKPOINTS"] = str(fetch(address)[0])
    from pneumo.ui.layout import build_demo, serve  # Gradio takes seconds to load

    serve(build_demo(args.examples), inbrowser=args.open)
    return 0
