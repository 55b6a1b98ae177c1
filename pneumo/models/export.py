"""Makes the graphs that `pneumo.models.runtime` serves: python -m pneumo.models.export [FOLDER]

Of every network and the lung segmenter of a folder of checkpoints, the bundled one by default;
beside each, what PyTorch gives for the bundled examples.
"""

from __future__ import annotations

import hashlib
import io
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from pneumo.files import bundled_folder, write_whole
from pneumo.imaging.worker import decode
from pneumo.models.checkpoint import available_models, checkpoint_folder, load_checkpoint
from pneumo.models.lungs import PREPROCESSING
from pneumo.models.networks import Network
from pneumo.models.preprocess import Preprocessing
from pneumo.models.runtime import LUNGS, graph_path, lungs_path
from pneumo.models.segmenter import load_segmenter

MOST_KEPT = 4  # graphs of one name, of several checkouts
LUNG_EXAMPLES = 2


class _Parts(nn.Module):
    """A network's logits and its feature map."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.network.features(x)
        return self.network.head(features), features


def export_network(network: Network, preprocessing: Preprocessing, path: Path) -> None:
    """Write a network's graph; a ValueError unless its head is linear behind a mean."""
    squares = np.stack([preprocessing.square(pixels) for pixels in _examples()])
    with torch.no_grad():
        features = network.features(preprocessing.tensor(squares))
    mean = features.mean((2, 3), keepdim=True).requires_grad_()
    logits = network.head(mean)
    cells = features.shape[2] * features.shape[3]
    gradient = torch.autograd.grad(logits.sum(), mean)[0] / cells
    if not torch.allclose(gradient, gradient[:1], rtol=1e-4):
        raise ValueError("its head is not linear")
    maps = (gradient[:1] * features).sum(1)
    facts = {"logits": logits.detach(), "maps": maps, "gradient": gradient[0, :, 0, 0]}
    _write(_Parts(network), preprocessing, path, squares, facts, ["logits", "features"])


def export_segmenter(path: Path, weights: Path) -> None:
    """Write the lung segmenter's graph."""
    segmenter = load_segmenter(weights)
    squares = np.stack([PREPROCESSING.square(pixels) for pixels in _examples()[:LUNG_EXAMPLES]])
    facts = {"logits": torch.from_numpy(segmenter.logits(PREPROCESSING.values(squares)))}
    _write(segmenter, PREPROCESSING, path, squares, facts, ["logits"])


def _write(
    module: nn.Module,
    preprocessing: Preprocessing,
    path: Path,
    squares: np.ndarray,
    facts: dict[str, torch.Tensor],
    outputs: list[str],
) -> None:
    graph: Any = io.BytesIO()
    table = io.BytesIO()
    x = torch.zeros(1, 1, preprocessing.size, preprocessing.size)
    # In eval mode itself: the exporter puts the mode back, and that of all parts with it.
    torch.onnx.export(
        module.eval(), (x,), graph, input_names=["x"], output_names=outputs, dynamo=False
    )
    arrays: Any = {name: value.numpy() for name, value in facts.items()}
    np.savez(table, squares=squares, **arrays)
    write_whole(path.with_suffix(".npz"), table.getvalue())
    write_whole(path, graph.getvalue())
    name = path.stem.rpartition("-")[0]
    newest_last = sorted(path.parent.glob(f"{name}-*.onnx"), key=lambda one: one.stat().st_mtime)
    for stale in newest_last[:-MOST_KEPT]:
        stale.unlink(missing_ok=True)
        stale.with_suffix(".npz").unlink(missing_ok=True)


def _examples() -> list[np.ndarray]:
    paths = sorted(bundled_folder("examples").glob("synthetic-*.png"))
    return [decode(path.read_bytes(), "PNG")[0] for path in paths]


def main() -> int:
    """Make what is missing; 1 when something could not be made, and why on standard error."""
    warnings.simplefilter("ignore")  # PyTorch's, about this exporter's age
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    failed = 0
    for name in (*available_models(folder), LUNGS):
        try:
            if name == LUNGS:
                weights = lungs_path(checkpoint_folder(folder))
                sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
                path = graph_path(name, sha256, PREPROCESSING)
                if not path.exists():
                    export_segmenter(path, weights)
            else:
                checkpoint = load_checkpoint(name, folder)
                path = graph_path(name, checkpoint.weights_sha256, checkpoint.preprocessing)
                if not path.exists():
                    export_network(checkpoint.network, checkpoint.preprocessing, path)
        except Exception as error:  # the other graphs are made all the same
            print(f"{name}: {error}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
