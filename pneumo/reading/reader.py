"""Reader: one radiograph in, one Reading out; the facade of app, command line and API."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from PIL import Image
from safetensors import SafetensorError

from pneumo.files import cores
from pneumo.imaging.messages import NOTE_CODES
from pneumo.imaging.radiograph import Radiograph, UnreadableImage, read_radiograph
from pneumo.models.card import Card, CheckpointError
from pneumo.models.checkpoint import Checkpoint, open_checkpoint
from pneumo.models.lungs import Segmenter, find_lungs
from pneumo.models.runtime import lungs_path, network_graph, segmenter_graph
from pneumo.reading.arrays import as_file
from pneumo.reading.checks import Check, check
from pneumo.reading.decision import DEFAULT_POLICY, Policy, at_prevalence, confidence, decide
from pneumo.reading.explanation import METHODS, GradCam, evidence
from pneumo.reading.input_check import InputCheck, load_input_check
from pneumo.reading.zones import ZoneShare, strongest_zone, zone_shares

# The segmenter takes half as long as ResNet-18, and its result does not depend on the network.
_LUNGS: WeakKeyDictionary[Radiograph, tuple[Segmenter, np.ndarray]] = WeakKeyDictionary()
BACKENDS = ("auto", "torch")

ImageLike = str | Path | bytes | Image.Image | np.ndarray


@dataclass(frozen=True, eq=False)
class Reading:
    """All that is said about one radiograph by one network; the only result type of the project.

    What depends on the decision or on prevalence is computed from the stored fields, so that
    `with_policy` and `with_prevalence` cannot leave anything behind. All of it is None unless the
    status is "ok".

    Attributes:
        source: how the image was stored, such as "PNG 16-bit grey"; never a file name.
        model: registered name of the network.
        weights_sha256: of the weights that gave this reading.
        status: "ok", "refused" (an image that must not be analyzed) or "error" (not decodable).
        reason: a sentence for the user when the status is not "ok", else "".
        reason_code, reason_values: the sentence's key for translations, and what stands in its
            braces.
        balanced: calibrated probability of pneumonia where half of the radiographs show it, 0 to 1.
        prevalence: share of radiographs that show pneumonia, above 0 and below 1.
        policy: rule-out and rule-in, on the balanced probability.
        decisive: the threshold of the decisive preset, on the balanced probability.
        evidence: float32, (h, w) of the network's last feature map: signed evidence for pneumonia
            (Grad-CAM before its ReLU) in units of the logit, on one scale for all radiographs.
        lungs: uint8, (S, S), 0 outside and 255 inside the lungs; None where they were not sought.
        zones: share of the positive evidence by lung and zone, the patient's sides; none where the
            lungs are not both found, the radiograph may be mirrored, or the network's map does not
            tell the side.
        checks: of the input and of the file, each with its outcome.
        seconds: wall-clock time of this reading.
    """

    source: str
    model: str
    weights_sha256: str
    status: str
    reason: str = ""
    reason_code: str = ""
    reason_values: dict[str, str | int] = field(default_factory=dict)
    balanced: float | None = None
    prevalence: float | None = None
    policy: Policy | None = None
    decisive: float | None = None
    evidence: np.ndarray | None = None
    lungs: np.ndarray | None = None
    zones: tuple[ZoneShare, ...] = ()
    checks: tuple[Check, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the radiograph was analyzed."""
        return self.status == "ok"

    @property
    def probability(self) -> float | None:
        """Calibrated probability of pneumonia at the prevalence, 0 to 1."""
        return self._moved(self.balanced)

    @property
    def label(self) -> str | None:
        """ "NORMAL", "INDETERMINATE" or "PNEUMONIA"; the same at every prevalence."""
        if self.balanced is None or self.policy is None:
            return None
        return decide(self.balanced, self.policy)

    @property
    def confidence(self) -> float | None:
        """Probability of the label given; when it is INDETERMINATE, of the likelier class."""
        if self.probability is None or self.label is None:
            return None
        return confidence(self.probability, self.label)

    @property
    def rule_out(self) -> float | None:
        """Below this probability pneumonia is unlikely, at the prevalence."""
        return self._moved(None if self.policy is None else self.policy.rule_out)

    @property
    def rule_in(self) -> float | None:
        """At or above this probability pneumonia is likely, at the prevalence."""
        return self._moved(None if self.policy is None else self.policy.rule_in)

    @property
    def threshold(self) -> float | None:
        """The one threshold of the decisive preset, at the prevalence."""
        return self._moved(self.decisive)

    @property
    def strongest_zone(self) -> str | None:
        """Where most of the positive evidence lies, such as "right lower"; the patient's side."""
        return strongest_zone(self.zones)

    def record(self) -> dict:
        """The reading without its images as plain json values."""
        low, high = self.rule_out, self.rule_in
        names = ("source", "model", "weights_sha256", "status", "reason", "probability",
                 "prevalence", "label", "confidence", "threshold")  # fmt: skip
        return {
            **{name: getattr(self, name) for name in names},
            "operating_point": self.policy and self.policy.name,
            "rule_out": low,
            "rule_in": high,
            "uncertain": None if low == high else {"low": low, "high": high},
            "zones": [asdict(zone) for zone in self.zones],
            "strongest_zone": self.strongest_zone,
            "checks": [
                {"name": c.name, "outcome": c.outcome, "detail": c.detail, "code": c.code}
                for c in self.checks
            ],
            "seconds": self.seconds,
        }

    def with_policy(self, policy: Policy) -> Reading:
        """The same reading decided by another policy; no network runs."""
        return replace(self, policy=policy) if self.ok else self

    def with_prevalence(self, prevalence: float) -> Reading:
        """The same reading at another prevalence, above 0 and below 1 (else ValueError); the label
        stays."""
        at_prevalence(0.5, prevalence)
        return replace(self, prevalence=float(prevalence)) if self.ok else self

    def _moved(self, balanced: float | None) -> float | None:
        if balanced is None or self.prevalence is None:
            return None
        return at_prevalence(balanced, self.prevalence)


class Reader:
    """Analyzes radiographs with one network; may be used from several threads.

    Args:
        model: a registered name, such as "resnet18", or a loaded Checkpoint.
        policy: a preset of the card ("cautious", "balanced", "decisive") or a Policy.
        prevalence: share of radiographs that show pneumonia, above 0 and below 1; by default that
            of the data the network was trained on.
        input_check: whether an image that fails the input check is refused. If not, it is analyzed
            all the same and its checks say so.
        cam: the method of the evidence map, a key of `pneumo.reading.explanation.METHODS`.
        backend: "auto", ONNX Runtime where it gives PyTorch's results; or "torch". Other methods
            than Grad-CAM always run on PyTorch.
        threads: processors that ONNX Runtime takes for one image, all by default; where several
            are analyzed at a time, 1 is a quarter faster.

    Attributes:
        backend: "onnxruntime" or "torch", what the network runs on.
        graph: the network on ONNX Runtime, or None.

    Raises:
        CheckpointError: when the checkpoint, its input check or the lung segmenter must not be
            used.
        ValueError: when there is no such policy, method or backend, or the prevalence is not above
            0 and below 1.
    """

    input_check: InputCheck | None

    def __init__(
        self,
        model: str | Checkpoint,
        policy: str | Policy = DEFAULT_POLICY,
        prevalence: float | None = None,
        input_check: bool = True,
        cam: str = GradCam.name,
        backend: str = BACKENDS[0],
        threads: int | None = None,
    ) -> None:
        threads = threads or cores()
        choices: tuple[tuple[str, Collection[str]], ...] = ((cam, METHODS), (backend, BACKENDS))
        for value, known in choices:
            if value not in known:
                raise ValueError(f"There is no '{value:.40}'. Known: {', '.join(known)}.")
        self.checkpoint = open_checkpoint(model) if isinstance(model, str) else model
        try:
            folder, digest = self.checkpoint.folder, self.card.input_check_sha256
            self.input_check = load_input_check(folder, digest)
        except CheckpointError:
            if input_check:
                raise
            self.input_check = None
        self.refuses = input_check
        self.cam = cam
        wanted = backend == "auto" and cam == GradCam.name
        self.graph = network_graph(self.checkpoint, threads) if wanted else None
        self.backend = "onnxruntime" if self.graph else "torch"
        if self.graph is None:
            _ = self.checkpoint.network  # or a CheckpointError, now and not at the first image
        self.segmenter = _segmenter(self.checkpoint.folder, self.backend, threads)
        self.calibration = self.card.calibration
        self.prevalence = self.card.prevalence if prevalence is None else float(prevalence)
        at_prevalence(0.5, self.prevalence)
        self.policy = self.preset(policy) if isinstance(policy, str) else policy

    @property
    def name(self) -> str:
        """Registered name of the network."""
        return self.checkpoint.name

    @property
    def card(self) -> Card:
        """The card of the weights."""
        return self.checkpoint.card

    def preset(self, name: str) -> Policy:
        """A policy of the card by its name; ValueError when it has none of this name."""
        if name not in self.card.policies:
            known = ", ".join(self.card.policies)
            raise ValueError(f"There is no policy '{name:.40}'. Known: {known}.")
        return self.card.policies[name].policy

    def predict(self, image: ImageLike) -> Reading:
        """Analyze one radiograph.

        Args:
            image: a path, the bytes of a file, a PIL image, or an array: (H, W), (H, W, 3) RGB or
                (H, W, 4) RGBA, of any integer, bool or float dtype, scaled as a file of it would
                be.

        Returns:
            The reading; for an image that cannot or must not be analyzed it says why.

        Raises:
            TypeError: when it is none of these.
        """
        return self.examine(image)[1]

    read = predict  # its name before 0.2.0

    def examine(
        self, image: ImageLike, input_check: bool | None = None
    ) -> tuple[Radiograph | None, Reading]:
        """The decoded radiograph, None when not decodable, and its reading; `image` as `predict`.

        `input_check` False analyzes also what the check would refuse; None is the reader's rule.
        """
        started = time.perf_counter()
        try:
            if isinstance(image, (str, Path, bytes)):
                radiograph = read_radiograph(image)
            else:
                data, source = as_file(image)
                radiograph = replace(read_radiograph(data), source=source)
        except UnreadableImage as error:
            return None, self.unreadable(error, time.perf_counter() - started)
        reading = self.read_radiograph(radiograph, input_check)
        return radiograph, replace(reading, seconds=time.perf_counter() - started)

    def unreadable(self, error: UnreadableImage, seconds: float = 0.0) -> Reading:
        """The reading of a file that gave no radiograph, after so many seconds."""
        return replace(
            self._reading("", error.status, reason=error.sentence, seconds=seconds),
            reason_code=error.code,
            reason_values=error.values,
        )

    def read_radiograph(self, radiograph: Radiograph, input_check: bool | None = None) -> Reading:
        """Analyze a radiograph that is already decoded; `input_check` as in `examine`."""
        started = time.perf_counter()
        checks = tuple(check(f"file.{NOTE_CODES[note]}") for note in radiograph.notes)
        examine = self.input_check.examine if self.input_check else None
        checks += examine(radiograph) if examine else (check("input_check.off"),)
        failed = next((one for one in checks if one.outcome == "failed"), None)
        if failed and (self.refuses if input_check is None else input_check):
            return self._reading(
                radiograph.source, "refused", reason=failed.detail, checks=checks,
                seconds=time.perf_counter() - started,
            )  # fmt: skip
        square = self.checkpoint.preprocessing.square(radiograph.pixels)
        logit, found = self._run(square)
        lungs = self._lungs(radiograph, square)
        sided = self.card.evidence.reliable_side
        mirrored = any(one.name == "upright" and one.outcome == "warned" for one in checks)
        reading = self._reading(
            radiograph.source,
            "ok",
            balanced=self.calibration.probability(logit),
            prevalence=self.prevalence,
            policy=self.policy,
            decisive=self.card.threshold,
            evidence=found,
            lungs=lungs,
            zones=zone_shares(found, lungs) if sided and not mirrored else (),
            checks=checks + ((check("input_check.overridden"),) if failed else ()),
        )
        return replace(reading, seconds=time.perf_counter() - started)

    def _run(self, square: np.ndarray) -> tuple[float, np.ndarray]:
        """Logit and evidence map, float32 (h, w), of a square, uint8 (S, S)."""
        preprocessing = self.checkpoint.preprocessing
        if self.graph is not None:
            return self.graph.evidence(preprocessing.values(square))
        logits, maps = evidence(self.checkpoint.network, preprocessing.tensor(square), self.cam)
        return float(logits[0]), maps[0].numpy()

    def _lungs(self, radiograph: Radiograph, square: np.ndarray) -> np.ndarray:
        """The lungs of a radiograph, sought once however many networks read it."""
        segmenter, lungs = _LUNGS.get(radiograph, (None, None))
        if lungs is None or segmenter is not self.segmenter:
            lungs = find_lungs(self.segmenter, square[None])[0]
            _LUNGS[radiograph] = self.segmenter, lungs
        return lungs

    def _reading(self, source: str, status: str, **values: Any) -> Reading:
        return Reading(source, self.name, self.checkpoint.weights_sha256, status, **values)


load = Reader  # as `pneumo.load`


@lru_cache
def _segmenter(folder: Path | None, backend: str, threads: int) -> Segmenter:
    """That of a folder of checkpoints, or the bundled one."""
    path = lungs_path(folder)
    try:
        graph = segmenter_graph(folder, threads) if backend == "onnxruntime" else None
        if graph is not None:
            return graph
        from pneumo.models.segmenter import load_segmenter

        return load_segmenter(path)
    except (OSError, RuntimeError, SafetensorError) as error:
        first = (str(error).splitlines() or ["unreadable"])[0]
        raise CheckpointError(
            f"The lung segmenter {path} cannot be used: {first}. Get the checkpoints folder again."
        ) from None
