"""The card of a checkpoint: typed, checked by pydantic, and read and written here alone.

What is read is not trusted: every field without a default must be there, each with its type, every
number finite and in its range, nothing more; anything else is a `CheckpointError` of one sentence.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import from_json, to_jsonable_python

from pneumo.files import bundled_folder, write_whole
from pneumo.models.preprocess import Preprocessing
from pneumo.models.probability import Calibration, Policy

FORMAT = 2
MAX_CARD_BYTES = 5_000_000  # a card has about 40 kB
BUNDLED = bundled_folder("checkpoints")

_T = TypeVar("_T")
# A map tells the affected side when all of these were measured and reach their goal.
RELIABLE_SIDE = {"composites_share": 0.92, "composites_right": 0.95, "boxes_side_share": 0.75}


class CheckpointError(RuntimeError):
    """A checkpoint that must not be used; the message says which file, why, and what to do."""


def checkpoint_folder(folder: Path | None = None) -> Path:
    """The folder given, or the one PNEUMO_CHECKPOINTS names, or the bundled one."""
    return Path(folder or os.environ.get("PNEUMO_CHECKPOINTS") or BUNDLED)


@dataclass(frozen=True)
class Estimate:
    """A measured number with the ends of its 95 % interval, None where none was computed.

    `n` is how many radiographs it was measured on.
    """

    value: float
    low: float | None
    high: float | None
    n: int

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError(f"n must not be negative, but is {self.n}")
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval needs both ends or none")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"the interval {self.low} to {self.high} is empty")


@dataclass(frozen=True)
class Weights:
    """The safetensors files beside the card, sorted, with the sha256 of their bytes in this order.

    `bytes` is their size together, `storage` says in words how tensors are stored.
    """

    files: tuple[str, ...]
    sha256: str
    bytes: int
    parameters: int
    storage: str

    def __post_init__(self) -> None:
        for file in self.files:
            # A name, not a path: a card must not make us read what lies elsewhere.
            if not file.endswith(".safetensors") or "/" in file or "\\" in file or "\0" in file:
                raise ValueError(f"{file!r} is not the name of a safetensors file")
        if not self.files or list(self.files) != sorted(set(self.files)):
            raise ValueError("the files must be sorted, each once, and at least one")
        check_sha256(self.sha256)


@dataclass(frozen=True)
class PolicyMeasures:
    """What a policy's labels were worth on a set of radiographs; indeterminate counts as such.

    Sensitivity and false negatives are shares of the radiographs with pneumonia that are labelled
    PNEUMONIA and NORMAL; specificity and false positives likewise of those without. PPV and NPV
    are at the set's own prevalence, None where no radiograph has the label.

    Attributes:
        labels: truth ("NORMAL", "PNEUMONIA") -> label -> number of radiographs; on validation
            a mean over the copies, hence fractions.
    """

    sensitivity: Estimate
    specificity: Estimate
    false_negatives: Estimate
    false_positives: Estimate
    ppv: Estimate | None
    npv: Estimate | None
    indeterminate: Estimate
    labels: dict[str, dict[str, float]]


@dataclass(frozen=True)
class PolicyResult:
    """A preset, the rule that fixed it on validation, and how it did."""

    policy: Policy
    rule: str
    validation: PolicyMeasures
    test: PolicyMeasures | None = None


@dataclass(frozen=True)
class LocalizationRow:
    """One measure of where the evidence lies, of the network's maps and of their mean map.

    The mean map is alike for all radiographs; None where measuring it says nothing.
    """

    network: Estimate
    constant_map: Estimate | None = None


@dataclass(frozen=True)
class Evidence:
    """How the evidence map is shown, and whether it may be believed.

    Attributes:
        scale: logit units that are drawn in full colour, above 0; by a rule, in words.
        localization: measure -> row, from `pneumo evaluate localization`.
    """

    scale: float
    scale_rule: str
    localization: dict[str, LocalizationRow]

    def __post_init__(self) -> None:
        if self.scale <= 0:
            raise ValueError(f"the scale must be above 0, but is {self.scale}")

    @property
    def reliable_side(self) -> bool:
        """Whether the map tells which lung is affected: `RELIABLE_SIDE` measured and reached."""
        return all(
            measure in self.localization and self.localization[measure].network.value >= goal
            for measure, goal in RELIABLE_SIDE.items()
        )


@dataclass(frozen=True)
class Confusion:
    """Numbers of radiographs at the decisive threshold."""

    true_positive: int
    false_negative: int
    true_negative: int
    false_positive: int


@dataclass(frozen=True)
class Scores:
    """Metrics of one set at the decisive threshold (balanced probability).

    Attributes:
        n, positives: radiographs, and those with pneumonia.
        ece: expected calibration error (Naeini et al. 2015), 10 bins, of the probability at the
            set's own prevalence if `prevalence` is given, else of the balanced one.
    """

    n: int
    positives: int
    threshold: float
    confusion: Confusion
    accuracy: Estimate
    sensitivity: Estimate
    specificity: Estimate
    auc: Estimate
    brier: Estimate
    ece: Estimate
    prevalence: float | None = None


@dataclass(frozen=True)
class Curve:
    """Sensitivity and specificity at every threshold on the balanced probability."""

    threshold: tuple[float, ...]
    sensitivity: tuple[float, ...]
    specificity: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.threshold) == len(self.sensitivity) == len(self.specificity):
            raise ValueError("a curve needs as many rates as thresholds")


@dataclass(frozen=True)
class ReliabilityBin:
    """Radiographs of one range of balanced probability: its mean, and how often pneumonia was."""

    low: float
    high: float
    n: int
    probability: float
    frequency: float


@dataclass(frozen=True)
class SplitResult:
    """All that is measured on a split.

    Attributes:
        distinct: scores of the radiographs without copies of them; None if not counted.
        sensitivity_by_kind: "bacteria", "virus" -> sensitivity.
        specificity_by_series: series of NORMAL radiographs -> specificity.
    """

    scores: Scores
    distinct: Scores | None
    sensitivity_by_kind: dict[str, Estimate]
    specificity_by_series: dict[str, Estimate]
    curve: Curve
    reliability: tuple[ReliabilityBin, ...]


@dataclass(frozen=True)
class Corruption:
    """Validation metrics after one corruption at one severity; "none" is the clean set."""

    name: str
    n: int
    auc: float
    sensitivity: float
    specificity: float


@dataclass(frozen=True)
class ExternalResult:
    """Metrics on radiographs from elsewhere.

    Attributes:
        group: which of the source's radiographs, such as "all", "PA", "AP".
        reference: who labelled them, in words.
    """

    source: str
    group: str
    reference: str
    n: int
    positives: int
    patients: int
    auc: Estimate
    sensitivity: Estimate
    specificity: Estimate


@dataclass(frozen=True)
class Stratum:
    """AUC of the network, and of sharpness alone, in one third of the validation radiographs."""

    name: str
    n: int
    positives: int
    auc: Estimate | None
    auc_sharpness: float | None


@dataclass(frozen=True)
class JpegChange:
    """What saving radiographs as JPEG does to their probability: mean and 95th percentile of the
    absolute change, and the share that then lies on the other side of the decisive threshold."""

    quality: int
    mean_change: float
    change_95: float
    flipped: float


@dataclass(frozen=True)
class Shortcut:
    """Whether the network reads sharpness or compression instead of the chest."""

    n: int
    auc: float
    auc_sharpness: float
    strata: tuple[Stratum, ...]
    recompressed_quality: float
    recompressed_before: Corruption
    recompressed_after: Corruption
    jpeg: tuple[JpegChange, ...]


@dataclass(frozen=True)
class CalibrationCheck:
    """Expected calibration error on validation, each fold of patients calibrated by the others.

    `ece_balanced` weights both classes alike, as the calibration is fitted.
    """

    ece: float
    ece_balanced: float
    folds: int


@dataclass(frozen=True)
class Metrics:
    """All measured accuracy; a part that was not measured is None or empty.

    Attributes:
        validation: clean; its curve counts clean and degraded copies alike.
        degraded: severity, such as "0.6" -> scores of degraded copies of the validation set.
        test: of the official test split, scored once with these weights.
        test_scorings: how often these weights were scored on it.
    """

    validation: SplitResult | None = None
    degraded: dict[str, Scores] | None = None
    calibration_check: CalibrationCheck | None = None
    test: SplitResult | None = None
    test_scorings: int = 0
    external: tuple[ExternalResult, ...] = ()
    corruptions: tuple[Corruption, ...] = ()
    shortcut: Shortcut | None = None


@dataclass(frozen=True)
class SplitFacts:
    """Size of a split: radiographs, patients, radiographs by kind (normal, bacteria, virus)."""

    radiographs: int
    patients: int
    by_kind: dict[str, int]


@dataclass(frozen=True)
class DataFacts:
    """The data a network was trained and validated on.

    Attributes:
        name: of the dataset, with source and licence.
        fingerprint: sha256 over names and contents of its files.
        others: further material that training used, in words.
    """

    name: str
    fingerprint: str
    training: SplitFacts
    validation: SplitFacts
    others: tuple[str, ...] = ()

    @property
    def prevalence(self) -> float:
        """Share of pneumonia among training and validation radiographs, above 0 and below 1."""
        counts = [split.by_kind for split in (self.training, self.validation)]
        everything = sum(sum(kinds.values()) for kinds in counts)
        normal = sum(kinds.get("normal", 0) for kinds in counts)
        return (everything - normal) / everything if 0 < normal < everything else 0.5


@dataclass(frozen=True)
class Epoch:
    """One row of the learning curve; `losses` are means over the epoch's steps."""

    epoch: int
    phase: str
    losses: dict[str, float]
    validation_auc: float
    degraded_auc: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class SeedResult:
    """Validation results of one seed, such as validation_auc; the chosen one is the card's."""

    seed: int
    chosen: bool
    measures: dict[str, float]


@dataclass(frozen=True)
class TrainingFacts:
    """How the weights were made, so that anyone can make them again.

    Attributes:
        recipe: every setting; json values.
        start: of the weights, in words.
        teachers: network and sha256 of weights that taught it.
        selection: the rule that chose the weights, in words.
        finished: ISO date.
        commit: of the repository, 40 hexadecimal digits or "".
    """

    command: str
    recipe: dict[str, Any]
    seed: int
    start: str
    teachers: tuple[str, ...]
    selection: str
    device: str
    precision: str
    processes: int
    seconds: float
    finished: str
    versions: dict[str, str]
    commit: str
    history: tuple[Epoch, ...] = ()
    seeds: tuple[SeedResult, ...] = ()

    def __post_init__(self) -> None:
        json.dumps(self.recipe, allow_nan=False)  # a ValueError for a number that is not finite


@dataclass(frozen=True)
class Card:
    """Everything that belongs to a network's weights.

    Attributes:
        format: of the file; `FORMAT`.
        name, title: registered name of the network, and its name for people.
        policies: "cautious", "balanced" and "decisive" -> thresholds and measures.
        input_check_sha256: of the input check file it was released with; None without a release.
    """

    format: int
    name: str
    title: str
    weights: Weights
    preprocessing: Preprocessing
    calibration: Calibration
    policies: dict[str, PolicyResult]
    evidence: Evidence
    metrics: Metrics
    data: DataFacts
    training: TrainingFacts
    input_check_sha256: str | None = None

    def __post_init__(self) -> None:
        for name in ("cautious", "balanced", "decisive"):
            if name not in self.policies:
                raise ValueError(f"the policy '{name}' is missing")
        for name, result in self.policies.items():
            if result.policy.name != name:
                raise ValueError(f"the policy '{name}' calls itself '{result.policy.name}'")
        if self.policies["decisive"].policy.rule_out != self.policies["decisive"].policy.rule_in:
            raise ValueError("the decisive policy must have one threshold")
        if self.input_check_sha256 is not None:
            check_sha256(self.input_check_sha256)

    @property
    def prevalence(self) -> float:
        """Share of pneumonia in the training hospital's data; the default of the screen."""
        return self.data.prevalence

    @property
    def threshold(self) -> float:
        """The decisive threshold, on the balanced probability."""
        return self.policies["decisive"].policy.rule_in


def check_sha256(value: str) -> None:
    """Raise a ValueError unless these are 64 lower-case hexadecimal digits."""
    if len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise ValueError("a sha256 has 64 hexadecimal digits")


def read_card(name: str, folder: Path | None = None) -> Card:
    """The card NAME.json of a network, from the bundled folder unless another is given.

    Raises:
        CheckpointError: when it is missing, unreadable, or not a card of this version.
    """
    path = checkpoint_folder(folder) / f"{name}.json"
    missing = (
        f"There is no card {path}. Train the network with: python train.py --model {name}; or "
        "download the checkpoints folder of the release."
    )
    return read_typed(Card, path, "card", FORMAT, missing)[0]


def write_card(card: Card, folder: Path | None = None) -> Path:
    """Write NAME.json, whole or not at all, and return its path; errors as in `write_typed`."""
    path = checkpoint_folder(folder) / f"{card.name}.json"
    write_typed(card, path, "card", FORMAT)
    return path


def read_typed(kind: type[_T], path: Path, what: str, version: int, missing: str) -> tuple[_T, str]:
    """A json file that is not trusted as a dataclass, and the sha256 of its bytes.

    Args:
        kind: of dataclass; its fields' types are all that is accepted, and `format` is `version`.
        what: the file is, such as "card", for the sentences.
        missing: the sentence when there is no such file.

    Raises:
        CheckpointError: when it is missing, unreadable, or anything in it is wrong.
    """
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise CheckpointError(f"{path} is larger than any {what}, so it was not read.")
        data = path.read_bytes()
        return _checked(kind, data, version), hashlib.sha256(data).hexdigest()
    except FileNotFoundError:
        raise CheckpointError(missing) from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        reason = _reason(error)
        raise CheckpointError(f"{path} is not a valid {what}: {reason}. Get it again.") from None


def write_typed(value: Any, path: Path, what: str, version: int) -> None:
    """Write a dataclass as json, whole or not at all; arguments as in `read_typed`.

    Raises:
        CheckpointError: when the file could not be read again: a number is not finite, a type is
            wrong.
    """
    text = json.dumps(record(value), ensure_ascii=False, indent=1) + "\n"
    try:
        _checked(type(value), text.encode(), version)
    except ValueError as error:
        raise CheckpointError(f"The {what} {path} cannot be written: {_reason(error)}.") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode())


def record(value: Any) -> Any:
    """A dataclass, with all that is in it, as plain json values."""
    return to_jsonable_python(value)


def _checked(kind: Any, data: bytes, version: int) -> Any:
    values = from_json(data)
    given = values.get("format") if isinstance(values, dict) else None
    if given != version:
        raise ValueError(f"its format is {given!r:.20} and this version of Pneumo reads {version}")
    return _adapter(kind).validate_json(data)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    # pydantic hands this on to the dataclasses inside.
    strict = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    kind.__pydantic_config__ = strict
    return TypeAdapter(kind)


def _reason(error: ValueError) -> str:
    """What is wrong and where, without a full stop."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part)[:40] for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{place}: {message}" if place else message
