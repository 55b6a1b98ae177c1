"""The app: `python app.py`, or as it is on a Hugging Face Space."""

import argparse
import threading
from pathlib import Path

from pneumo.ui.layout import build_demo, launch

demo = build_demo()

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Pneumo in the browser.")
    parser.add_argument(
        "--examples", type=Path, metavar="DIR", help="a local folder of images for the gallery"
    )
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    arguments = parser.parse_args()
    if arguments.examples:
        if not arguments.examples.is_dir():
            parser.error(f"there is no folder {arguments.examples}")
        demo = build_demo(arguments.examples)
    launch(demo, inbrowser=arguments.open, prevent_thread_lock=True)
    # Not before: Gradio gives up when its own page takes more than three seconds to answer.
    threading.Thread(target=demo.store.warm_up, daemon=True).start()
    demo.block_thread()
