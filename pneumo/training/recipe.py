"""A training recipe: every choice that decides the weights, and the phases it unrolls into."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from types import MappingProxyType

from pneumo.data.transforms import Augmentation
from pneumo.models.networks import NETWORKS
from pneumo.training.precision import PRECISIONS


@dataclass(frozen=True)
class Recipe:
    """What, besides the films and the starting weights, decides the trained weights.

    Attributes:
        model: registered name.
        epochs: with all that `unfreeze` names in training; one epoch draws as many films as the
            training split has, half NORMAL and half PNEUMONIA.
        frozen_epochs: before those, with the trunk frozen and only the head, and what had no
            starting weights, in training. Ignored for networks without a trunk.
        unfreeze: the first trunk module, from the film's side, that trains in the second phase;
            all after it train too. "all" trains the whole network.
        size: side of the films that the network is made for, pixels.
        detail: side at which films are held in memory, and from which crops are cut, where it is
            larger: a crop then shows what the whole film at `size` does not.
        low_size, low_epochs: the first `low_epochs` of all epochs see films of this side
            (progressive resizing, as in Howard's fast.ai courses); the rest see `size`.
        batch: films a step.
        learning_rate: peak of the one-cycle schedule (Smith and Topin 2019) of the second phase.
        head_learning_rate: peak of the first phase.
        trunk_rate: share of the learning rates after it that the trunk's modules get which had
            starting weights. Fine-tuning distorts such features, at the cost of films of another
            kind (Kumar et al. 2022); a small share keeps more of them.
        weight_decay: AdamW's (Loshchilov and Hutter 2019).
        label_smoothing: targets are s/2 and 1 - s/2.
        ema: decay a step of the averaged weights, which are the ones validated and kept.
        evidence: weight of the loss on evidence outside the lungs; needs lung masks.
        lung_epochs: after those, epochs that start from the averaged weights and teach the
            network to judge by the lungs alone; every film has a lung field in them, drawn or
            found by a network that learned from the drawn ones.
        lung_learning_rate: peak of their own cycle.
        lung_unfreeze: as `unfreeze`, for them.
        lung_evidence: weight of the loss on misplaced evidence in them.
        wrong_sign: how much evidence whose sign denies the label counts as misplaced in them.
        hidden: chance in them that a film with a mask has its lungs painted over and is trained
            to be called neither.
        replaced: chance in them that its surroundings are another film's, or paint.
        halves: chance in them that one half of a film is replaced by one of a film of the other
            class (`halves`). Such a film counts as pneumonia, with some doubt; needs
            `lung_evidence`.
        sides: weight in them of the loss on telling its ill half by the map, which is what makes
            evidence tell the side.
        keep: weight in them, beside the label, of the answers the network itself gave before
            them (Li and Hoiem 2016, "Learning without forgetting").
        adults: share of adult films in them; needs such films, and trains on every second
            patient of theirs only.
        early_adults: the same in the epochs before them that train the trunk.
        early_hidden, early_replaced: as `hidden` and `replaced`, in the epochs before them that
            train the trunk; with either, found lung fields count there as well.
        distil: weight in them of trained networks' mean answer beside the label (Hinton, Vinyals
            and Dean 2015); needs a teacher.
        early_distil: the same in the epochs before them that train the trunk.
        before_lungs: share, in the final weights, of those the lung epochs started from (Wortsman
            et al. 2022, "Robust fine-tuning of zero-shot models"): much of the accuracy those
            epochs cost comes back before what they teach is lost.
        precision: fp32, bf16, or auto, which is bf16 where the device computes in it by itself
            (`precision`); of the convolutions alone, all else is fp32.
        folds, fold: the validation split is one of so many patient-grouped folds.
        seed: of everything random.
        augmentation: how far the random changes go.

    Raises:
        ValueError: with a sentence, when `before_lungs` is no share, `precision` no precision, or
            `keep` is no share or given beside `distil`, or chances exceed 1.
    """

    model: str
    epochs: int = 8
    frozen_epochs: int = 0
    unfreeze: str = "layer4"
    size: int = 224
    detail: int = 224
    low_size: int = 128
    low_epochs: int = 0
    batch: int = 32
    learning_rate: float = 4e-4
    head_learning_rate: float = 2e-3
    trunk_rate: float = 1.0
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    ema: float = 0.99
    evidence: float = 0.0
    lung_epochs: int = 0
    lung_learning_rate: float = 2e-4
    lung_unfreeze: str = "all"
    lung_evidence: float = 2.0
    wrong_sign: float = 1.0
    hidden: float = 0.25
    replaced: float = 0.25
    halves: float = 0.0
    sides: float = 1.0
    keep: float = 0.0
    adults: float = 0.0
    early_adults: float = 0.0
    early_hidden: float = 0.0
    early_replaced: float = 0.0
    distil: float = 0.0
    early_distil: float = 0.0
    before_lungs: float = 0.0
    precision: str = "auto"
    folds: int = 10
    fold: int = 0
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        if not 0 <= self.before_lungs <= 1:
            raise ValueError(f"--before-lungs takes a share from 0 to 1, not {self.before_lungs}.")
        if not 0 <= self.keep <= 1:
            raise ValueError(f"--keep takes a share from 0 to 1, not {self.keep}.")
        if self.hidden + self.replaced + self.halves > 1:
            raise ValueError("--hidden, --replaced and --halves are chances of one film: together "
                             "they must not exceed 1.")
        if self.keep and self.distil:
            raise ValueError("--keep and --distil both say who teaches the lung epochs; give one.")
        if self.precision not in PRECISIONS:
            raise ValueError(f"--precision takes {', '.join(PRECISIONS)}, not '{self.precision}'.")

    @property
    def held(self) -> int:
        """Side of the films in memory, pixels."""
        return max(self.size, self.detail)

    def record(self) -> dict:
        """Plain json values."""
        return asdict(self)

    def left_out(self) -> tuple[str, ...]:
        """In words, what the released recipe of this network learns from and this one does not."""
        released = Recipe.released(self.model)
        parts = {"evidence": "evidence in the lungs", "lung_epochs": "lung epochs",
                 "early_hidden": "hidden lungs in the fine-tuning",
                 "early_replaced": "exchanged surroundings in the fine-tuning",
                 "early_adults": "adults in the fine-tuning", "adults": "adults in the lung epochs",
                 "early_distil": "a teacher in the fine-tuning", "distil": "a teacher"}
        return tuple(words for name, words in parts.items()
                     if getattr(released, name) and not getattr(self, name))

    @classmethod
    def released(cls, model: str, **changes: object) -> Recipe:
        """The recipe of the bundled weights of a network, with some values changed."""
        return cls(model, **{**RELEASED[model], **changes})


# What differs between the networks; chosen on validation (the model card tells what was tried).
RELEASED = MappingProxyType({
    "resnet18": {
        "size": 128, "frozen_epochs": 1, "epochs": 12, "low_epochs": 0, "unfreeze": "all",
        "learning_rate": 4e-4, "trunk_rate": 0.1, "evidence": 1.0, "early_adults": 0.15,
        "early_hidden": 0.15, "early_replaced": 0.15, "lung_epochs": 1,
        "lung_learning_rate": 2e-4, "wrong_sign": 0.0, "hidden": 0.15, "replaced": 0.15,
        "adults": 0.15, "before_lungs": 0.25,
    },
    "cnn": {
        "frozen_epochs": 0, "epochs": 36, "low_epochs": 0, "unfreeze": "all",
        "learning_rate": 2e-3, "evidence": 1.0, "early_adults": 0.15, "early_hidden": 0.15,
        "early_replaced": 0.15, "early_distil": 0.8, "lung_epochs": 2,
        "lung_learning_rate": 2e-4, "lung_evidence": 1.0, "wrong_sign": 0.25, "adults": 0.25,
        "distil": 0.8, "before_lungs": 0.25,
    },
})


@dataclass(frozen=True)
class Phase:
    """A stretch of epochs with the same trainable modules and one learning-rate cycle.

    Attributes:
        name: for people.
        epochs: how many.
        learning_rate: peak.
        frozen: top-level modules that stay as they are, batch-norm statistics included.
        evidence, wrong_sign, hidden, replaced, adults, distil, halves, sides, keep: as in the
            recipe, in force in this phase.
        slow: top-level modules that train at `slow_rate` times the learning rate.
        slow_rate: that share.
        fine: how much finer than the network's map evidence is judged.
        found: lung fields found by a network count as drawn ones do.
        from_average: the phase starts from the averaged weights of the one before.
    """

    name: str
    epochs: int
    learning_rate: float
    frozen: tuple[str, ...] = ()
    evidence: float = 0.0
    wrong_sign: float = 0.0
    hidden: float = 0.0
    replaced: float = 0.0
    adults: float = 0.0
    distil: float = 0.0
    fine: int = 1
    found: bool = False
    from_average: bool = False
    slow: tuple[str, ...] = ()
    slow_rate: float = 1.0
    halves: float = 0.0
    sides: float = 1.0
    keep: float = 0.0


def phases(recipe: Recipe, fresh: tuple[str, ...]) -> tuple[Phase, ...]:
    """Unroll a recipe.

    Args:
        recipe: the recipe.
        fresh: top-level modules in which some weight had no starting value.

    Returns:
        One to three phases, none of them empty.

    Raises:
        ValueError: with a sentence, when `unfreeze` names no module of the trunk.
    """
    trunk = NETWORKS[recipe.model].trunk
    first, first_of_lungs = (
        tuple(name for name in _before(start, trunk, flag) if name not in fresh)
        for flag, start in (
            ("--unfreeze", recipe.unfreeze), ("--lung-unfreeze", recipe.lung_unfreeze)
        )
    )
    kept = tuple(name for name in trunk if name not in fresh)
    result = []
    if kept and recipe.frozen_epochs:
        result.append(
            Phase("head", recipe.frozen_epochs, recipe.head_learning_rate, kept, recipe.evidence)
        )
    if recipe.epochs:
        result.append(
            Phase("fine-tuning", recipe.epochs, recipe.learning_rate, first, recipe.evidence,
                  hidden=recipe.early_hidden, replaced=recipe.early_replaced,
                  adults=recipe.early_adults, distil=recipe.early_distil,
                  found=bool(recipe.early_hidden or recipe.early_replaced),
                  slow=kept, slow_rate=recipe.trunk_rate)
        )
    if recipe.lung_epochs:
        result.append(
            Phase("lungs", recipe.lung_epochs, recipe.lung_learning_rate, first_of_lungs,
                  recipe.lung_evidence, recipe.wrong_sign, recipe.hidden, recipe.replaced,
                  recipe.adults, recipe.distil, fine=4, found=True, from_average=True,
                  slow=kept, slow_rate=recipe.trunk_rate, halves=recipe.halves,
                  sides=recipe.sides, keep=recipe.keep)
        )
    return tuple(result)


def _before(start: str, trunk: tuple[str, ...], flag: str) -> tuple[str, ...]:
    if start == "all" or not trunk:
        return ()
    if start not in trunk:
        raise ValueError(f"{flag} takes all, {', '.join(trunk)}, not '{start}'.")
    return trunk[: trunk.index(start)]
