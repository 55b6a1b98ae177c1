"""The card of a checkpoint: typed, checked by pydantic, and read and written here alone.

What is read is not trusted: every field without a default must be there, each with its type, every
number finite and in its range, nothing more; anything else is a `CheckpointError` of one sentence.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json, to_jsonable_python

from pneumo.files import bundled_folder, write_whole
from pneumo.models.preprocess import Preprocessing
from pneumo.models.probability import Calibration, Policy

FORMAT = 3
MAX_CARD_BYTES = 5_000_000  # a card has about 40 kB
BUNDLED = bundled_folder("checkpoints")

_T = TypeVar("_T")
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Safetensors = Annotated[str, Field(pattern=r"^[\w.-]+\.safetensors$")]
# A map tells the affected side when all of these were measured and reach their goal.
RELIABLE_SIDE = {"composites_share": 0.92, "composites_right": 0.95, "boxes_side_share": 0.75}


class CheckpointError(RuntimeError):
    """A checkpoint that must not be used; the message says which file, why, and what to do."""


def checkpoint_folder(folder: Path | None = None) -> Path:
    """The folder given, or the one PNEUMO_CHECKPOINTS names, or the bundled one."""
    return Path(folder or os.environ.get("PNEUMO_CHECKPOINTS") or BUNDLED)


@dataclass(frozen=True)
class Estimate:
    """A number measured on `n` radiographs, with its 95 % interval; None where none is known."""

    value: float
    low: float | None
    high: float | None
    n: Annotated[int, Field(ge=0)]

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None) or (self.low or 0) > (self.high or 0):
            raise ValueError(f"{self.low} to {self.high} is no interval")


@dataclass(frozen=True)
class Weights:
    """The safetensors files beside the card, sorted, and the sha256 and size of all their bytes."""

    # Names, not paths: a card must not make us read what lies elsewhere.
    files: Annotated[tuple[Safetensors, ...], Field(min_length=1)]
    sha256: Sha256
    bytes: int
    parameters: int

    def __post_init__(self) -> None:
        if list(self.files) != sorted(set(self.files)):
            raise ValueError("the files must be sorted and each be named once")


@dataclass(frozen=True)
class PolicyMeasures:
    """What a policy's labels were worth on a set of radiographs; indeterminate counts as such.

    PPV and NPV are at the set's own prevalence, None where no radiograph has the label. `labels`:
    truth -> label -> number of radiographs, on validation a mean over copies, hence fractions.
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
    """One localization measure of a network, and of its mean map where that says something."""

    network: Estimate
    constant_map: Estimate | None = None


@dataclass(frozen=True)
class Evidence:
    """How the evidence map is shown (`scale`: logit units in full colour), and how it measured."""

    scale: Annotated[float, Field(gt=0)]
    localization: dict[str, LocalizationRow]

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
    """Metrics of one set at the decisive threshold on the balanced probability.

    Brier score and calibration error are at `prevalence`, balanced where that is None.
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
    """All that is measured on a split; `distinct` leaves out identical copies of radiographs."""

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
    """Metrics on radiographs from elsewhere; `group` is "all" or a view, `reference` the labels."""

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
    """How far JPEG moves probabilities: mean, 95th percentile, share that crosses the threshold."""

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
    """Calibration error on validation, cross-fitted in so many folds."""

    ece: float
    folds: int


@dataclass(frozen=True)
class Metrics:
    """All measured accuracy; a part that was not measured is None or empty.

    `validation` is clean, but its curve counts degraded copies too; `degraded` is by severity.
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
    """The data a network was trained and validated on; `others`: further material, in words."""

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
    losses: dict[str, float]
    validation_auc: float
    degraded_auc: float
    seconds: float


@dataclass(frozen=True)
class SeedResult:
    """Validation results of one seed; the chosen one is the card's."""

    seed: int
    chosen: bool
    measures: dict[str, float]


@dataclass(frozen=True)
class TrainingFacts:
    """How the weights were made, so that anyone can make them again."""

    command: str
    recipe: dict[str, Any]
    seed: int
    start: str
    teachers: tuple[str, ...]
    selection: str
    device: str
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
    """Everything that belongs to a network's weights."""

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
    input_check_sha256: Sha256 | None = None  # of the file it was released with

    def __post_init__(self) -> None:
        for name in ("cautious", "balanced", "decisive"):
            if name not in self.policies:
                raise ValueError(f"the policy '{name}' is missing")
        for name, result in self.policies.items():
            if result.policy.name != name:
                raise ValueError(f"the policy '{name}' calls itself '{result.policy.name}'")
        if self.policies["decisive"].policy.rule_out != self.policies["decisive"].policy.rule_in:
            raise ValueError("the decisive policy must have one threshold")

    @property
    def prevalence(self) -> float:
        """Share of pneumonia in the training hospital's data; the default of the screen."""
        return self.data.prevalence

    @property
    def threshold(self) -> float:
        """The decisive threshold, on the balanced probability."""
        return self.policies["decisive"].policy.rule_in


def read_card(name: str, folder: Path | None = None) -> Card:
    """The card NAME.json of a network, bundled unless a folder is given; errors: `read_typed`."""
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
    """A json file that is not trusted as a dataclass `kind`, and the sha256 of its bytes.

    `what` the file is, such as "card", and the sentence when it is `missing` are for the
    CheckpointError of a file that is missing, unreadable or wrong anywhere.
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
    """Write a dataclass as json, whole or not at all; a CheckpointError if it holds what
    `read_typed` would refuse."""
    text = json.dumps(record(value), ensure_ascii=False, indent=1) + "\n"
    # The numbers of a list on one line, so that changes can be read.
    text = re.sub(r'\[[^][{}"]*\]', lambda numbers: " ".join(numbers[0].split()), text)
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
