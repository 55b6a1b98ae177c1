"""The card of a checkpoint: typed, checked, and read and written here alone.

`read_card` and `write_card` are the only ways between NAME.json and a `Card`. What is read is not
trusted: every field must be there with its type, every number finite and in its range, nothing
more may be there, and whatever is wrong ends in one `CheckpointError` with one sentence.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union

from pneumo.files import bundled_folder, write_whole
from pneumo.models.preprocess import Preprocessing
from pneumo.models.probability import Calibration, Policy

FORMAT = 2
# A card with 101 points of two curves and 40 epochs has about 40 kB.
MAX_CARD_BYTES = 5_000_000
MAX_DEPTH = 12
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
    """A measured number with its 95 % interval.

    Attributes:
        value: what was measured.
        low, high: ends of the interval; both None where none was computed.
        n: radiographs (or patients, or boxes: as the field says) it was measured on.
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
    """The weight files.

    Attributes:
        files: names of the safetensors shards beside the card, sorted.
        sha256: of the bytes of all of them, in this order; 64 hexadecimal digits.
        bytes: of all of them.
        parameters: numbers that training fits.
        storage: how tensors are stored, in words.
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

    Attributes:
        sensitivity: share of the radiographs with pneumonia that are labelled PNEUMONIA.
        specificity: share of those without that are labelled NORMAL.
        false_negatives: share of the radiographs with pneumonia that are labelled NORMAL.
        false_positives: share of those without that are labelled PNEUMONIA.
        ppv, npv: share of the radiographs labelled PNEUMONIA that show it, and of those labelled
            NORMAL that do not, at the set's own prevalence; None where none is labelled so.
        indeterminate: share of all radiographs that are labelled INDETERMINATE.
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
    """One measure of where the evidence lies.

    Attributes:
        network: of the network's maps.
        constant_map: the same measure of a map that is alike for all radiographs, their mean map;
            None where it says nothing.
    """

    network: Estimate
    constant_map: Estimate | None = None


@dataclass(frozen=True)
class Evidence:
    """How the evidence map is shown, and whether it may be believed.

    Attributes:
        scale: logit units that are drawn in full colour, above 0.
        scale_rule: where the scale comes from, in words.
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
        scores: of all its radiographs.
        distinct: of those whose content is in no other file of the dataset; None if not counted.
        sensitivity_by_kind: "bacteria", "virus" -> sensitivity.
        specificity_by_series: series of NORMAL radiographs -> specificity.
        curve, reliability: for figures and custom thresholds.
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
        source: the dataset.
        group: which of its radiographs, such as "all", "PA", "AP".
        reference: who labelled them, in words.
        n, positives, patients: how many.
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
    """What saving a radiograph as JPEG of one quality does to its probability.

    Attributes:
        mean_change, change_95: mean and 95th percentile of the absolute change, 0 to 1.
        flipped: share of radiographs on the other side of the decisive threshold.
    """

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

    Attributes:
        ece: every radiograph counted alike.
        ece_balanced: both classes weighted alike, as the calibration is fitted.
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
        others: further material that training used, such as adult radiographs, in words.
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
    """One row of the learning curve.

    Attributes:
        phase: such as "head", "fine-tuning".
        losses: part of the loss -> mean over the epoch's steps; "total" is always there.
        validation_auc, degraded_auc: of clean and degraded validation radiographs.
    """

    epoch: int
    phase: str
    losses: dict[str, float]
    validation_auc: float
    degraded_auc: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class SeedResult:
    """Validation results of one seed, for the spread.

    Attributes:
        chosen: whether these are the weights of the card.
        measures: such as validation_auc, degraded_auc and measures of localization.
    """

    seed: int
    chosen: bool
    measures: dict[str, float]


@dataclass(frozen=True)
class TrainingFacts:
    """How the weights were made, so that anyone can make them again.

    Attributes:
        command: that trained them.
        recipe: every setting; json values.
        start: of the weights, in words, such as a bundled file and its sha256.
        teachers: network and sha256 of weights that taught it, in words.
        selection: the rule that chose the weights, in words.
        seconds: of training.
        finished: ISO date.
        versions: package -> version.
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


@dataclass(frozen=True)
class Card:
    """Everything that belongs to a network's weights.

    Attributes:
        format: of the file; `FORMAT`.
        name, title: registered name of the network, and its name for people.
        policies: "cautious", "balanced" and "decisive" -> thresholds and measures.
        input_check_sha256: of the input check file that it was released with; None for a
            checkpoint that was not released.
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
    """Raise a ValueError unless it is a sha256 of 64 lower-case hexadecimal digits."""
    if len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise ValueError("a sha256 has 64 hexadecimal digits")


def read_card(name: str, folder: Path | None = None) -> Card:
    """The card of a network.

    Args:
        name: of the network.
        folder: that holds NAME.json; the bundled one unless given.

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
    """Write NAME.json, whole or not at all.

    Returns:
        Its path.

    Raises:
        CheckpointError: when the card could not be read again: a number is not finite, a type
            is wrong.
    """
    path = checkpoint_folder(folder) / f"{card.name}.json"
    write_typed(card, path, "card", FORMAT)
    return path


def read_typed(kind: type[_T], path: Path, what: str, version: int, missing: str) -> tuple[_T, str]:
    """A json file that is not trusted as a dataclass, and the sha256 of its bytes.

    Args:
        kind: of dataclass; it has a field `format`.
        path: of the file.
        what: the file is, such as "card", for the sentences.
        version: the format that can be read.
        missing: the sentence when there is no such file.

    Raises:
        CheckpointError: when it is missing, unreadable, or anything in it is wrong.
    """
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise CheckpointError(f"{path} is larger than any {what}, so it was not read.")
        data = path.read_bytes()
        values = json.loads(data.decode("utf-8"), parse_constant=_refuse)
        return _typed(kind, values, what, version), hashlib.sha256(data).hexdigest()
    except FileNotFoundError:
        raise CheckpointError(missing) from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from None
    except RecursionError:
        raise CheckpointError(
            f"{path} is nested too deeply to be a valid {what}. Get it again."
        ) from None
    except _Wrong as error:
        raise CheckpointError(f"{path} is not a valid {what}: {error}. Get it again.") from None
    except ValueError:
        raise CheckpointError(f"{path} is not valid JSON. Get it again.") from None


def write_typed(value: Any, path: Path, what: str, version: int) -> None:
    """Write a dataclass as readable json, whole or not at all.

    Args:
        value: the dataclass.
        path: of the file.
        what: the file is, such as "card", for the sentence.
        version: its format.

    Raises:
        CheckpointError: when the file could not be read again: a number is not finite, a type is
            wrong.
    """
    values = record(value)
    try:
        _typed(type(value), values, what, version)
    except _Wrong as error:
        raise CheckpointError(f"The {what} {path} cannot be written: {error}.") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (_pretty(values) + "\n").encode())


def record(value: Any) -> Any:
    """A dataclass, with all that is in it, as plain json values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: record(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {key: record(one) for key, one in value.items()}
    return [record(one) for one in value] if isinstance(value, (list, tuple)) else value


class _Wrong(ValueError):
    """A sentence, without its full stop, about what is wrong with a card."""


def _refuse(constant: str) -> typing.NoReturn:
    raise _Wrong(f"it holds {constant}, which is no number")


def _typed(kind: type[_T], values: Any, where: str, version: int) -> _T:
    given = values.get("format") if isinstance(values, dict) else None
    if given != version:
        raise _Wrong(f"its format is {given!r:.20} and this version of Pneumo reads {version}")
    return _decode(kind, values, where, 0)


def _decode(kind: type[_T], value: Any, where: str, depth: int) -> _T:
    """The value as the annotated type; `where` names the field for the sentence."""
    if depth > MAX_DEPTH:
        raise _Wrong(f"{where} is nested too deeply")
    return _decoder(kind)(value, where, depth)


def _decoder(kind: Any) -> Callable[[Any, str, int], Any]:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        (present,) = (one for one in inner if one is not type(None))
        return lambda v, where, d: None if v is None else _decode(present, v, where, d)
    if origin is tuple:
        return lambda v, where, d: tuple(
            _decode(inner[0], one, f"{where}[{i}]", d + 1)
            for i, one in enumerate(_expect(v, list, "a list", where))
        )
    if origin is dict:
        return lambda v, where, d: {
            key: _decode(inner[1], one, f"{where}.{key:.40}", d + 1)
            for key, one in _expect(v, dict, "an object", where).items()
        }
    if is_dataclass(kind):
        return lambda v, where, d: _dataclass(kind, v, where, d)
    return _PLAIN[kind]


def _dataclass(kind: Any, value: Any, where: str, depth: int) -> Any:
    given, hints = _expect(value, dict, "an object", where), _hints(kind)
    for name in hints:
        if name not in given:
            raise _Wrong(f"{where} lacks '{name}'")
    for name in given:
        if name not in hints:
            raise _Wrong(f"{where} has the unknown field '{name:.40}'")
    parts = {
        name: _decode(hint, given[name], f"{where}.{name}", depth + 1)
        for name, hint in hints.items()
    }
    try:
        return kind(**parts)
    except _Wrong:
        raise
    except ValueError as error:
        raise _Wrong(f"{where}: {str(error).rstrip('.')}") from None


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {f.name: hints[f.name] for f in fields(kind)}


def _expect(value: Any, kind: type, words: str, where: str) -> Any:
    # A bool is an int to Python, not to a card.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _Wrong(f"{where} is not {words}")
    return value


def _float(value: Any, where: str, _depth: int) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Wrong(f"{where} is not a number")
    if abs(value) > 1e300 or not math.isfinite(value):
        raise _Wrong(f"{where} is not a finite number")
    return float(value)


def _json(value: Any, where: str, depth: int) -> Any:
    if isinstance(value, dict):
        return {k: _decode(Any, v, f"{where}.{k:.40}", depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_decode(Any, v, f"{where}[{i}]", depth + 1) for i, v in enumerate(value)]
    if isinstance(value, float):
        return _float(value, where, depth)
    if value is not None and not isinstance(value, (str, int)):
        raise _Wrong(f"{where} is not a json value")
    return value


_PLAIN: dict[Any, Callable[[Any, str, int], Any]] = {
    float: _float,
    int: lambda v, where, _: _expect(v, int, "a whole number", where),
    str: lambda v, where, _: _expect(v, str, "a text", where),
    bool: lambda v, where, _: _expect(v, bool, "true or false", where),
    Any: _json,
}


def _pretty(values: Any, depth: int = 0) -> str:
    """Json with one field a line; what fits a line of 100 characters stays on it."""
    flat = json.dumps(values, ensure_ascii=False, allow_nan=False)
    if len(flat) + 2 * depth <= 100 or not isinstance(values, (dict, list)):
        return flat
    pad, end = "  " * (depth + 1), "  " * depth
    if isinstance(values, dict):
        items = [f"{json.dumps(k)}: {_pretty(v, depth + 1)}" for k, v in values.items()]
        return "{\n" + ",\n".join(pad + item for item in items) + f"\n{end}}}"
    if not any(isinstance(one, (dict, list)) for one in values):
        return flat
    return "[\n" + ",\n".join(pad + _pretty(one, depth + 1) for one in values) + f"\n{end}]"
