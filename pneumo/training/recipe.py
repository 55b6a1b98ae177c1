"""A training recipe: the choices that decide the weights, read from `recipes/NAME.yaml`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, TypeAdapter, ValidationError

FOLDER = Path(__file__).parent / "recipes"


class RecipeError(ValueError):
    """A recipe that cannot be used; the message says which value is wrong and what it takes."""


Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class Recipe:
    """What, besides the radiographs and the starting weights, decides the trained weights.

    `_p` stands for the probability with which something is done to an image.
    """

    model: str  # registered name of the network
    size: int  # side of the images, pixels
    epochs: int  # one epoch draws as many images as the training split has
    learning_rate: float  # peak of the one-cycle schedule (Smith and Topin 2019)
    batch: int = 32  # images a step, over all processes
    pretrained_rate: float = 1.0  # share of the rate for modules that had starting weights
    frozen: tuple[str, ...] = ()  # top-level modules that keep their starting weights
    weight_decay: float = 0.02  # AdamW's (Loshchilov and Hutter 2019)
    label_smoothing: Share = 0.1  # s: targets are s/2 and 1 - s/2
    ema: float = 0.99  # decay a step of the averaged weights, which are validated and kept
    # NORMAL among the drawn radiographs; above a half, because composites and inserted opacities
    # turn some of them into positives.
    normal_share: Share = 0.62
    crop: float = 0.4  # smallest share of the area that a random crop keeps
    wide_p: Share = 0.3  # framed wider instead
    local_contrast_p: Share = 0.4  # local contrast changed
    adult_p: Share = 0.3  # of a normal one: a synthetic adult instead, half with an opacity
    composite_p: Share = 0.25  # one hemithorax, or a band of it, replaced by another patient's
    opacity_p: Share = 0.08  # of a normal one: an opacity inserted
    lung_mask_p: Share = 0.08  # the lungs painted over (target 0.5)
    background_swap_p: Share = 0.06  # everything but the lungs replaced
    # Target of a composite with a pneumonia's hemithorax: its disease may have been on the side
    # that was replaced.
    composite_target: float = 0.85
    outside_weight: float = 1.0  # of the share of evidence outside the lungs
    location_weight: float = 1.0  # of the loss on positive evidence outside the known disease
    side_weight: float = 1.0  # of the loss on which hemithorax is diseased, where only one is
    # Registered name of a bundled network whose evidence maps are learned beside the labels; empty
    # for none. And the weight of the loss on maps unlike its own.
    teacher: str = ""
    teacher_weight: float = 0.0
    folds: int = 10  # the validation split is the fold of so many patient-grouped ones
    fold: int = 0
    seed: int = 0  # of everything random

    def record(self) -> dict[str, Any]:
        """Plain json values."""
        return asdict(self)


def load_recipe(model: str, changes: dict[str, str] | None = None) -> Recipe:
    """The bundled recipe of a network; `changes`: field -> value as YAML text, as `--set` gives it.

    A RecipeError when there is no recipe, or a field or value is not one of a recipe.
    """
    path = FOLDER / f"{model}.yaml"
    if not path.is_file():
        raise RecipeError(f"There is no recipe for '{model}': {path} is missing.")
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    known = [f.name for f in fields(Recipe) if f.name != "model"]
    for name, text in (changes or {}).items():
        if name not in known:
            raise RecipeError(f"A recipe has no value '{name}'. It has: {', '.join(known)}.")
        try:
            values[name] = yaml.safe_load(text) if text else ""
        except yaml.YAMLError:
            raise RecipeError(f"{name} takes no '{text}': it is no YAML.") from None
    try:
        recipe: Recipe = TypeAdapter(Recipe).validate_python({**values, "model": model})
    except ValidationError as error:
        first = error.errors()[0]
        field, said = first["loc"][0], first["msg"].removeprefix("Input s")
        raise RecipeError(f"{field} s{said}, not '{first['input']}'.") from None
    if recipe.composite_p + recipe.opacity_p + recipe.lung_mask_p + recipe.background_swap_p > 1:
        raise RecipeError("The probabilities of one image's changes add up to more than 1.")
    return recipe
