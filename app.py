"""The app: `python app.py`, or as it is on a Hugging Face Space."""

import argparse
import threading
from pathlib import Path

from pneumo.models.checkpoint import CheckpointError, available_models
from pneumo.ui.layout import build_demo, launch_arguments

demo = build_demo()


def warm_up(desk) -> None:
    """Load the networks while the person is still looking for a film."""
    for name in available_models():
        try:
            desk.reader(name)
        except CheckpointError as error:
            print(error)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Pneumo in the browser.")
    parser.add_argument("--examples", type=Path, metavar="DIR",
                        help="a folder of own films for the gallery")
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    arguments = parser.parse_args()
    if arguments.examples:
        if not arguments.examples.is_dir():
            parser.error(f"there is no folder {arguments.examples}")
        demo = build_demo(arguments.examples)
    demo.launch(**launch_arguments(), inbrowser=arguments.open, prevent_thread_lock=True)
    # Not before: Gradio gives up when its own page takes more than three seconds to answer.
    threading.Thread(target=warm_up, args=(demo.desk,), daemon=True).start()
    demo.block_thread()
