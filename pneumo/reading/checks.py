"""Checks of a film: their names, what each says, and the facts that are unusual by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pneumo.imaging.facts import Facts

# Facts that no ordinary film shows. Of 402 train films, 40 originals and 258 adult films none has
# less contrast than 0.36; 0.04 is a blank picture's.
BLANK, LOW_CONTRAST = 0.04, 0.35
UNUSABLE_SIDE, SMALL_SIDE = 32, 160
LONG_ASPECT = 2.5
SOME_LETTERS = 8

# Warnings by head: what a score at or above the head's threshold says.
SAYINGS = {
    "turned 90": "The film seems to be turned by 90 degrees clockwise. Turn it upright and read it "
    "again: this answer is not reliable.",
    "turned 180": "The film seems to stand on its head. Turn it upright and read it again: this "
    "answer is not reliable.",
    "turned 270": "The film seems to be turned by 90 degrees anticlockwise. Turn it upright and "
    "read it again: this answer is not reliable.",
    "mirrored": "The film seems to be mirrored left to right: the heart lies on the other side.",
    "cropped": "The film seems to be cropped: part of the chest may be missing.",
    "adult": "The film looks like an adult's. The network learned almost only from children of "
    "one hospital and is less reliable here.",
    "unlike": "The film differs from those the network learned from, so its answer is less "
    "reliable.",
}
TURNS = ("turned 90", "turned 180", "turned 270")
# Check of the reading -> the heads it consults, in the order of what matters more.
WARNINGS = {
    "upright": (*TURNS, "mirrored"),
    "whole": ("cropped",),
    "population": ("adult", "unlike"),
}
CALM = {
    "upright": "The film stands upright.",
    "whole": "The chest is whole.",
    "population": "The film is like those the network learned from.",
}
REFUSAL = (
    "This does not look like a frontal chest radiograph, so it was not read. "
    "Please choose a frontal chest film."
)

LATERAL = "The file declares a lateral view, so it was not read. Please choose the frontal film."


@dataclass(frozen=True)
class Check:
    """One named check: outcome "passed", "warned" or "failed", a sentence, and its code."""

    name: str
    outcome: str
    detail: str
    code: str = ""


def chest_check(is_chest: bool, declared_lateral: bool) -> Check:
    """Whether it is a frontal chest film, by its looks and by what its file declares."""
    if declared_lateral:
        return Check("chest", "failed", LATERAL)
    if not is_chest:
        return Check("chest", "failed", REFUSAL)
    return Check("chest", "passed", "This looks like a frontal chest radiograph.")


def named_warnings(found: Mapping[str, float]) -> tuple[Check, ...]:
    """A check for every entry of `WARNINGS`.

    Args:
        found: the heads that said yes, with how far each is above its threshold.
    """
    turns = [name for name in TURNS if name in found]
    if turns:
        # Of a film that lies on its side nothing else can be said.
        return (Check("upright", "warned", SAYINGS[max(turns, key=found.__getitem__)]),)
    checks = []
    for name, heads in WARNINGS.items():
        said = next((SAYINGS[head] for head in heads if head in found), None)
        checks.append(Check(name, "warned" if said else "passed", said or CALM[name]))
    return tuple(checks)


def fact_checks(facts: Facts) -> tuple[Check, ...]:
    """Checks that need no network: contrast, size, shape, letters."""
    size = f"{facts.width} x {facts.height} pixels"
    if facts.contrast < BLANK:
        contrast = ("failed", "The picture is almost one single grey, so there is nothing to read.")
    elif facts.contrast < LOW_CONTRAST:
        contrast = ("warned", "The film has little contrast. Fine opacities may be invisible.")
    else:
        contrast = ("passed", "The film has contrast enough.")
    if facts.smallest_side < UNUSABLE_SIDE:
        detail = ("failed", f"The picture has only {size}. Please export it larger.")
    elif facts.smallest_side < SMALL_SIDE:
        detail = ("warned", f"The film has only {size}. Fine opacities may be invisible.")
    else:
        detail = ("passed", f"The film has {size}.")
    shape = ("passed", "The film has a usual shape.")
    if facts.aspect > LONG_ASPECT:
        shape = ("warned", f"The film is unusually long ({size}): it is squeezed to a square.")
    text = ("passed", "No text is burnt in beyond side markers.")
    if facts.letters >= SOME_LETTERS:
        text = (
            "warned",
            "Text seems to be burnt into the film. The network may be misled by it, "
            "and it may name the patient.",
        )
    pairs = {"contrast": contrast, "size": detail, "shape": shape, "text": text}
    return tuple(Check(name, *pair) for name, pair in pairs.items())


def unguarded() -> tuple[Check, ...]:
    """What a reading says when its network has no guard."""
    return (
        Check(
            "guard",
            "warned",
            "No guard is fitted for this network, so whether this is a "
            "frontal chest radiograph was not checked.",
        ),
    )


def overridden() -> tuple[Check, ...]:
    """What a reading says when the guard would have refused the picture and was told not to."""
    return (
        Check(
            "guard",
            "warned",
            "The guard refuses this picture. It was read all the same, on "
            "request: do not rely on the answer.",
        ),
    )
