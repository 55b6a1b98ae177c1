"""A training recipe: every choice that decides the weights, and the phases it unrolls into."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from pneumo.models.networks import NETWORKS
from pneumo.training.augment import Augmentation


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
        size: side of the films, pixels.
        low_size, low_epochs: the first `low_epochs` of all epochs see films of this side
            (progressive resizing, as in Howard's fast.ai courses); the rest see `size`.
        batch: films a step.
        learning_rate: peak of the one-cycle schedule (Smith and Topin 2019) of the second phase.
        head_learning_rate: peak of the first phase.
        weight_decay: AdamW's (Loshchilov and Hutter 2019).
        label_smoothing: targets are s/2 and 1 - s/2.
        ema: decay a step of the averaged weights, which are the ones validated and kept.
        evidence: weight of the loss on evidence outside the lungs; needs lung masks.
        wrong_sign: how much evidence whose sign denies the label counts in that loss.
        folds, fold: the validation split is one of so many patient-grouped folds.
        seed: of everything random.
        augmentation: how far the random changes go.
    """

    model: str
    epochs: int = 8
    frozen_epochs: int = 0
    unfreeze: str = "layer4"
    size: int = 224
    low_size: int = 128
    low_epochs: int = 0
    batch: int = 32
    learning_rate: float = 4e-4
    head_learning_rate: float = 2e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    ema: float = 0.99
    evidence: float = 0.0
    wrong_sign: float = 0.0
    folds: int = 10
    fold: int = 0
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def record(self) -> dict:
        """Plain json values."""
        return asdict(self)


@dataclass(frozen=True)
class Phase:
    """A stretch of epochs with the same trainable modules and one learning-rate cycle.

    Attributes:
        name: for people.
        epochs: how many.
        learning_rate: peak.
        frozen: top-level modules that stay as they are, batch-norm statistics included.
    """

    name: str
    epochs: int
    learning_rate: float
    frozen: tuple[str, ...]


def phases(recipe: Recipe, fresh: tuple[str, ...]) -> tuple[Phase, ...]:
    """Unroll a recipe.

    Args:
        recipe: the recipe.
        fresh: top-level modules in which some weight had no starting value.

    Returns:
        One or two phases, none of them empty.

    Raises:
        ValueError: with a sentence, when `unfreeze` names no module of the trunk.
    """
    trunk = NETWORKS[recipe.model].trunk
    first = ()
    if recipe.unfreeze != "all" and trunk:
        if recipe.unfreeze not in trunk:
            raise ValueError(
                f"--unfreeze takes all, {', '.join(trunk)}, not '{recipe.unfreeze}'."
            )
        first = trunk[: trunk.index(recipe.unfreeze)]
    first = tuple(name for name in first if name not in fresh)
    kept = tuple(name for name in trunk if name not in fresh)
    result = []
    if kept and recipe.frozen_epochs:
        result.append(Phase("head", recipe.frozen_epochs, recipe.head_learning_rate, kept))
    if recipe.epochs:
        result.append(Phase("fine-tuning", recipe.epochs, recipe.learning_rate, first))
    return tuple(result)
