"""Networks on ONNX Runtime: serving does without PyTorch, in less time and memory.

The graphs are made from the weights at the first start, by `pneumo.models.export` in a process of
its own, and kept in a user cache. One that does not give what PyTorch gave is not used.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from pneumo.models.card import BUNDLED
from pneumo.models.checkpoint import Checkpoint
from pneumo.models.lungs import PREPROCESSING
from pneumo.models.preprocess import Preprocessing
from pneumo.models.probability import Calibration

LUNGS = "lungs"
# How far a probability, and a map as a share of its largest value, may be from PyTorch's.
TOLERANCE = 0.002
EXPORT_SECONDS = 600
_lock = threading.Lock()
_graphs: dict[tuple[Path, int], Graph] = {}  # that agree


class Graph:
    """A network, or the lung segmenter, as a graph; may be used from several threads.

    Args:
        path: of NAME-KEY.onnx; what PyTorch gave for the examples lies beside it as .npz.
        threads: that one image may take.
    """

    def __init__(self, path: Path, threads: int) -> None:
        # Read at import. Else it reports its use to Microsoft and writes to the temporary folder.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime

        with np.load(path.with_suffix(".npz")) as facts:
            self._expected = {name: facts[name] for name in facts.files}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.log_severity_level = 3
        known = onnxruntime.get_available_providers()
        wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
        self._session = onnxruntime.InferenceSession(
            path, options, [name for name in wanted if name in known]
        )

    def logits(self, values: np.ndarray) -> np.ndarray:
        """The first output alone, of float32 (N, 1, S, S)."""
        return np.concatenate([self._session.run(["logits"], {"x": v[None]})[0] for v in values])

    def evidence(self, values: np.ndarray) -> tuple[float, np.ndarray]:
        """Logit and Grad-CAM, float32 (h, w), of one image, float32 (1, 1, S, S).

        In closed form: the head is linear behind a mean, so its gradient is the same everywhere.
        """
        logits, features = self._session.run(None, {"x": values})
        return float(logits[0]), np.tensordot(self._expected["gradient"], features[0], 1)

    def agrees(
        self, preprocessing: Preprocessing, calibration: Calibration, thresholds: Iterable[float]
    ) -> bool:
        """Whether the examples have PyTorch's probabilities, within `TOLERANCE` and on the same
        side of each threshold, and its maps."""
        values = preprocessing.values(self._expected["squares"])
        if "maps" in self._expected:
            pairs = [self.evidence(v[None]) for v in values]
            logits, maps = np.array([logit for logit, _ in pairs]), [one for _, one in pairs]
            far = np.abs(np.stack(maps) - self._expected["maps"]).max()
            if not far <= TOLERANCE * np.abs(self._expected["maps"]).max():
                return False
        else:
            logits = self.logits(values)
        found, expected = map(calibration.probability, (logits, self._expected["logits"]))
        same = all(((found >= end) == (expected >= end)).all() for end in thresholds)
        return bool(same and np.abs(found - expected).max() <= TOLERANCE)


def network_graph(checkpoint: Checkpoint, threads: int) -> Graph | None:
    """The graph of a network; None, and a line in the log, where PyTorch must do."""
    card = checkpoint.card
    policies = [result.policy for result in card.policies.values()]
    thresholds = [end for policy in policies for end in (policy.rule_out, policy.rule_in)]
    path = graph_path(card.name, card.weights.sha256, card.preprocessing)
    place = path, checkpoint.folder
    return _opened(*place, threads, card.preprocessing, card.calibration, thresholds)


def segmenter_graph(folder: Path | None, threads: int) -> Graph | None:
    """The graph of a folder's lung segmenter; None as above. OSError when there is none."""
    sha256 = hashlib.sha256(lungs_path(folder).read_bytes()).hexdigest()
    path = graph_path(LUNGS, sha256, PREPROCESSING)
    return _opened(path, folder, threads, PREPROCESSING, Calibration(), ())


def lungs_path(folder: Path | None) -> Path:
    """The weights of the lung segmenter: a folder's own, or the bundled ones."""
    path = (folder or BUNDLED) / "lungs.safetensors"
    return path if path.is_file() else BUNDLED / path.name


def graph_path(name: str, sha256: str, preprocessing: Preprocessing) -> Path:
    """Where the graph of these weights lies, made by these versions of code and libraries:
    PNEUMO_CACHE, or pneumo in the user's cache, or where it is not there and that is not writable
    a folder that lasts as long as this process."""
    key = hashlib.sha256(f"{sha256} {preprocessing.size} {_versions()}".encode()).hexdigest()
    file = f"{name}-{key[:20]}.onnx"
    try:
        named, base = os.environ.get("PNEUMO_CACHE"), os.environ.get("XDG_CACHE_HOME")
        folder = Path(named) if named else Path(base or Path.home() / ".cache") / "pneumo"
        folder.mkdir(0o700, parents=True, exist_ok=True)
        # A container's image may have it, made by root.
        if (folder / file).is_file() or os.access(folder, os.W_OK):
            return folder / file
    except (OSError, RuntimeError):
        pass
    return Path(_temporary().name) / file


@cache
def _temporary() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="pneumo-")


@cache
def _versions() -> str:
    found = []
    for package in ("torch", "onnx", "onnxruntime"):
        try:
            found.append(version(package))
        except PackageNotFoundError:
            found.append("none")
    here = Path(__file__).parent
    sources = [(here / f"{name}.py").read_bytes() for name in ("networks", "segmenter", "export")]
    return " ".join([*found, hashlib.sha256(b"".join(sources)).hexdigest()])


def _opened(
    path: Path,
    folder: Path | None,
    threads: int,
    preprocessing: Preprocessing,
    calibration: Calibration,
    thresholds: Iterable[float],
) -> Graph | None:
    if known := _graphs.get((path, threads)):
        return known
    try:
        with _lock:  # one export makes all graphs of a folder
            if not path.exists():
                said = _export(folder, path.parent)
                if not path.exists():
                    raise RuntimeError(said or "it was not made")
        graph = Graph(path, threads)
        if graph.agrees(preprocessing, calibration, thresholds):
            _graphs[path, threads] = graph
            return graph
        why = "its results are not PyTorch's"
    except Exception as error:  # the runtime has many kinds of them; PyTorch does instead
        why = f"{type(error).__name__}: {(str(error).splitlines() or [''])[-1]:.200}"
    with suppress(OSError):
        path.unlink()  # made again at the next start
    logging.getLogger(__name__).warning("%s runs on PyTorch: %s", path.stem.partition("-")[0], why)
    return None


def _export(folder: Path | None, place: Path) -> str:
    """Make all graphs of a folder that are missing in a place; what was said of those that
    failed."""
    words = ["-m", "pneumo.models.export", *([str(folder.resolve())] if folder else [])]
    environment = os.environ | {"PNEUMO_CACHE": str(place.resolve())}
    return subprocess.run(
        [sys.executable, *words],
        cwd=Path(__file__).parents[2],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=EXPORT_SECONDS,
    ).stderr.strip()
