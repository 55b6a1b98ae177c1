"""Where the weights and the examples lie: in the wheel, or in the checkout it was made of."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def bundled_folder(name: str) -> Path:
    """The folder of this name, "checkpoints" or "examples", that came with the package."""
    installed = _PACKAGE / "_bundled"
    return (installed if installed.is_dir() else _PACKAGE.parent) / name
