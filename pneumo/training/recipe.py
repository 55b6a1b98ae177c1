"""A training recipe: the choices that decide the weights, read from `recipes/NAME.yaml`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "recipes"


class RecipeError(ValueError):
    """A recipe that cannot be used; the message says which value is wrong and what it takes."""


@dataclass(frozen=True)
class Recipe:
    """What, besides the radiographs and the starting weights, decides the trained weights.

    Attributes:
        model: registered name of the network.
        size: side of the images, pixels.
        epochs: one epoch draws as many images as the training split has.
        batch: images a step, over all processes.
        learning_rate: peak of the one-cycle schedule (Smith and Topin 2019).
        pretrained_rate: share of it for modules that had starting weights.
        frozen: top-level modules that keep their starting weights.
        weight_decay: AdamW's (Loshchilov and Hutter 2019).
        label_smoothing: targets are s/2 and 1 - s/2.
        ema: decay a step of the averaged weights, which are validated and kept.
        normal_share: share of NORMAL among the drawn radiographs; above a half, because composites
            and inserted opacities turn some of them into positives.
        crop: smallest share of the area that a random crop keeps.
        wide_p: probability that an image is framed wider instead.
        local_contrast_p: probability that its local contrast is changed.
        adult_p: probability that a synthetic adult takes the place of a normal radiograph; half of
            them have an inserted opacity.
        composite_p: probability that one hemithorax, or a band of it, is replaced by another
            patient's.
        opacity_p: probability that a normal radiograph gets an inserted opacity.
        lung_mask_p: probability that the lungs are painted over (target 0.5).
        background_swap_p: probability that everything but the lungs is replaced.
        composite_target: target of a composite with a pneumonia's hemithorax: its disease may have
            been on the side that was replaced.
        outside_weight: weight of the share of evidence outside the lungs.
        location_weight: weight of the loss on positive evidence outside the known disease.
        side_weight: weight of the loss on which hemithorax is diseased, where only one is.
        teacher: registered name of a bundled network whose evidence maps are learned beside the
            labels; empty for none.
        teacher_weight: weight of the loss on maps unlike the teacher's.
        folds, fold: the validation split is one of so many patient-grouped folds.
        seed: of everything random.
    """

    model: str
    size: int
    epochs: int
    learning_rate: float
    batch: int = 32
    pretrained_rate: float = 1.0
    frozen: tuple[str, ...] = ()
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    ema: float = 0.99
    normal_share: float = 0.62
    crop: float = 0.4
    wide_p: float = 0.3
    local_contrast_p: float = 0.4
    adult_p: float = 0.3
    composite_p: float = 0.25
    opacity_p: float = 0.15
    lung_mask_p: float = 0.13
    background_swap_p: float = 0.12
    composite_target: float = 0.85
    outside_weight: float = 1.0
    location_weight: float = 1.0
    side_weight: float = 1.0
    teacher: str = ""
    teacher_weight: float = 0.0
    folds: int = 10
    fold: int = 0
    seed: int = 0

    def record(self) -> dict[str, Any]:
        """Plain json values."""
        return asdict(self)


def load_recipe(model: str, changes: dict[str, str] | None = None) -> Recipe:
    """The bundled recipe of a network, with some values changed.

    Args:
        model: registered name.
        changes: field -> value as YAML text, as `--set key=value` gives it.

    Raises:
        RecipeError: when there is no recipe, or a field or value is not one of a recipe.
    """
    path = FOLDER / f"{model}.yaml"
    if not path.is_file():
        raise RecipeError(f"There is no recipe for '{model}': {path} is missing.")
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    known = {f.name: f.default for f in fields(Recipe)}
    for name, text in (changes or {}).items():
        if name not in known or name == "model":
            names = ", ".join(n for n in known if n != "model")
            raise RecipeError(f"A recipe has no value '{name}'. It has: {names}.")
        values[name] = _value(text)
    for name, value in values.items():
        if name == "frozen":
            values[name] = tuple(value)
        elif name == "teacher":
            values[name] = str(value)
        elif not isinstance(value, (int, float)) or isinstance(value, bool):
            raise RecipeError(f"{name} takes a number, not '{value}'.")
        elif name in (
            "size",
            "epochs",
            "batch",
            "folds",
            "fold",
            "seed",
        ) and value != int(value):
            raise RecipeError(f"{name} takes a whole number, not {value}.")
        elif name.endswith(("_p", "_share", "smoothing")) and not 0 <= value <= 1:
            raise RecipeError(f"{name} takes a number from 0 to 1, not {value}.")
    recipe = Recipe(model=model, **values)
    if recipe.composite_p + recipe.opacity_p + recipe.lung_mask_p + recipe.background_swap_p > 1:
        raise RecipeError("The probabilities of one image's changes add up to more than 1.")
    return recipe


def _value(text: str) -> Any:
    """A value of the command line; YAML takes 1e-3 for a text."""
    try:
        return float(text) if "e" in text else yaml.safe_load(text)
    except ValueError:
        return yaml.safe_load(text)
