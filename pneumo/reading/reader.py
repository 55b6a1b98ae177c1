"""Reader: one film in, one Reading out; the facade that app, command line and API all use."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import torch

from pneumo.imaging.radiograph import Radiograph, UnreadableImage, read_radiograph
from pneumo.models.checkpoint import Checkpoint, CheckpointError, load
from pneumo.reading.checks import Check, overridden, unguarded
from pneumo.reading.decision import Band, Calibration, band_of, label_of
from pneumo.reading.explanation import evidence_map
from pneumo.reading.input_check import load_guard

DEFAULT_OPERATING_POINT = "balanced"


@dataclass(frozen=True, eq=False)
class Reading:
    """All that is said about one film by one network; the only result type of the project.

    Attributes:
        source: how the film was stored, such as "PNG 16-bit grey"; never a file name.
        model: registered name of the network.
        weights_sha256: of the weights that gave this reading.
        status: "ok", "refused" (a picture that must not be read) or "error" (not decodable).
        reason: a sentence for the reader when the status is not "ok", else "".
        probability: calibrated, of pneumonia, 0 to 1; None unless "ok" (as all that follow).
        label: "PNEUMONIA", "NORMAL" or "UNCERTAIN".
        confidence: probability of the label given, of the likelier class when UNCERTAIN, 0 to 1.
        threshold: probability at or above which the label is PNEUMONIA, if it is certain.
        operating_point: name of the threshold, such as "balanced", or "own".
        uncertain: the network's band of UNCERTAIN probabilities, or None if its card has none;
            for the label it is widened to hold the threshold.
        heat: float32, (h, w) of the network's last feature map: signed evidence for pneumonia
            (Grad-CAM before its ReLU) in units of the logit, on one scale for all films.
        checks: the guard's and the file's, each with its outcome.
        seconds: wall-clock time of this reading.
    """

    source: str
    model: str
    weights_sha256: str
    status: str
    reason: str = ""
    probability: float | None = None
    label: str | None = None
    confidence: float | None = None
    threshold: float | None = None
    operating_point: str | None = None
    uncertain: Band | None = None
    heat: np.ndarray | None = None
    checks: tuple[Check, ...] = field(default=())
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the film was read."""
        return self.status == "ok"

    def record(self) -> dict:
        """Every field but the heat as plain json values, in the order of the class."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "heat"}
        values["uncertain"] = None if self.uncertain is None else asdict(self.uncertain)
        values["checks"] = [
            {"name": c.name, "outcome": c.outcome, "detail": c.detail} for c in self.checks
        ]
        return values

    def with_threshold(self, threshold: float, operating_point: str = "own") -> Reading:
        """The same reading judged at another threshold; no network runs.

        Raises:
            ValueError: when the threshold is not a number from 0 to 1.
        """
        if not self.ok:
            return self
        label, confidence = label_of(self.probability, threshold, self.uncertain)
        return replace(
            self, label=label, confidence=confidence, threshold=float(threshold),
            operating_point=operating_point,
        )


class Reader:
    """Reads films with one network.

    Args:
        model: a registered name or a loaded Checkpoint.
        threshold: an own threshold on the calibrated probability, 0 to 1; by default the
            balanced operating point of the card.
        guard: whether a picture that fails the guard is refused. If not, it is read all the same
            and its checks say so.

    Raises:
        CheckpointError: when the checkpoint must not be used, or its guard belongs to other
            weights (GuardError).
        ValueError: when the threshold is not a number from 0 to 1.
    """

    def __init__(
        self, model: str | Checkpoint, threshold: float | None = None, guard: bool = True
    ) -> None:
        self.checkpoint = load(model) if isinstance(model, str) else model
        self.guard = load_guard(self.checkpoint, strict=guard)
        self.guarded = guard
        card = self.checkpoint.card
        self.calibration = Calibration(**card["calibration"])
        try:
            self.uncertain = band_of(card)
        except ValueError as error:
            raise CheckpointError(f"The card of {self.name} cannot be used. {error}") from None
        self.operating_point = DEFAULT_OPERATING_POINT if threshold is None else "own"
        if threshold is None:
            threshold = card["operating_points"][DEFAULT_OPERATING_POINT]["threshold"]
        label_of(0.5, threshold)
        self.threshold = float(threshold)
        self.heat_scale = float(card["heat"]["scale"])

    @property
    def name(self) -> str:
        """Registered name of the network."""
        return self.checkpoint.name

    def read(self, file: str | Path | bytes) -> Reading:
        """Read one film from a path or from bytes; a bad film gives a Reading that says why."""
        return self.examine(file)[1]

    def examine(
        self, file: str | Path | bytes, guard: bool | None = None
    ) -> tuple[Radiograph | None, Reading]:
        """The decoded film beside its reading, for those who show both; None when not decodable.

        Args:
            file: a path, or the bytes of a file.
            guard: False reads also what the guard would refuse; by default the reader's own rule.
        """
        started = time.perf_counter()
        try:
            radiograph = read_radiograph(file)
        except UnreadableImage as error:
            return None, self.unreadable(error, time.perf_counter() - started)
        reading = self.read_radiograph(radiograph, guard)
        return radiograph, replace(reading, seconds=time.perf_counter() - started)

    def read_many(self, files: Iterable[str | Path | bytes]) -> Iterator[Reading]:
        """Readings of many films, lazily and in their order; none stops the others."""
        for file in files:
            yield self.read(file)

    def unreadable(self, error: UnreadableImage, seconds: float = 0.0) -> Reading:
        """The reading of a file that gave no film, after so many seconds: its status and reason."""
        return self._reading("", error.status, reason=error.sentence, seconds=seconds)

    def read_radiograph(self, radiograph: Radiograph, guard: bool | None = None) -> Reading:
        """Read a film that is already decoded; `guard` as in `examine`."""
        started = time.perf_counter()
        network, preprocessing = self.checkpoint.network, self.checkpoint.preprocessing
        square = preprocessing.square(radiograph.pixels)
        with torch.no_grad():
            features = network.features(preprocessing.tensor(square))
        checks = tuple(Check("file", "warned", note) for note in radiograph.notes)
        checks += self.guard.examine(features, square, radiograph) if self.guard else unguarded()
        reason = next((check.detail for check in checks if check.outcome == "failed"), "")
        if reason and (self.guarded if guard is None else guard):
            reading = self._reading(radiograph.source, "refused", reason=reason, checks=checks)
            return replace(reading, seconds=time.perf_counter() - started)
        logit, heat = evidence_map(network, features)
        reading = self._reading(
            radiograph.source,
            "ok",
            probability=self.calibration.probability(float(logit[0])),
            uncertain=self.uncertain,
            heat=heat[0].numpy(),
            checks=checks + (overridden() if reason else ()),
        )
        reading = reading.with_threshold(self.threshold, self.operating_point)
        return replace(reading, seconds=time.perf_counter() - started)

    def _reading(self, source: str, status: str, **values) -> Reading:
        sha256 = self.checkpoint.weights_sha256
        return Reading(source, self.name, sha256, status, **values)
