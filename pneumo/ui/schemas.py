"""What the page asks of the server: every field checked before anything is done."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pneumo.imaging import overlay
from pneumo.models.card import Card
from pneumo.models.checkpoint import available_models
from pneumo.reading.decision import DEFAULT_POLICY, PRESETS, Policy
from pneumo.ui.texts import text

CUSTOM = "custom"
MIN_PREVALENCE, MAX_PREVALENCE = 0.001, 0.999


class Invalid(ValueError):
    """A field that cannot be used, with the sentence for the person.

    Attributes:
        field: "image", "policy" or "prevalence".
    """

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Choice:
    """Policy and prevalence, as chosen by the person.

    Attributes:
        policy: a preset, or "custom".
        thresholds: rule-out and rule-in of "custom", probabilities at the prevalence `at`.
        at: the prevalence at which they were given; None for the training hospital's.
        prevalence: at which probabilities are shown; None for the training hospital's.
    """

    policy: str = DEFAULT_POLICY
    thresholds: tuple[float, float] | None = None
    at: float | None = None
    prevalence: float | None = None

    def policy_for(self, card: Card) -> Policy:
        """The thresholds on the balanced probability of a network."""
        if self.thresholds is None:
            return card.policies[self.policy].policy
        return Policy.custom(*self.thresholds, prevalence=self.at or card.prevalence)


@dataclass(frozen=True)
class Request:
    """One request of a page.

    Attributes:
        models: names of the networks that are asked, one or more.
        visit: random name of the page; empty when it does not care about being overtaken.
        turn: number of the request within the visit.
        image: bytes of an image file, or None.
        token: of an image already in the store, or "".
        example: number of an example, or None.
        pictures: whether the page needs image and maps, or the words alone.
        check: False when the person wants it analyzed although the input check refused it.
        choice: policy and prevalence.
        sign: evidence "for" or "against", for the report.
        drawn: names of the networks whose heatmap is shown, for the report.
        opacity: of the heatmap, 0 to 1, for the report.
        comment: of the person, for the report.
    """

    models: tuple[str, ...]
    visit: str = ""
    turn: int = 0
    image: bytes | None = None
    token: str = ""
    example: int | None = None
    pictures: bool = True
    check: bool = True
    choice: Choice = Choice()
    sign: str = overlay.FOR
    drawn: frozenset[str] = frozenset()
    opacity: float = 0.6
    comment: str = ""


def parse(data: object) -> Request:
    """A request from what Gradio hands over: a dict, or one with the bytes of an uploaded file.

    Raises:
        Invalid: for a policy or prevalence that is none, or when it is nothing the page would send.
    """
    fields, files = getattr(data, "data", data), getattr(data, "files", [])
    if not isinstance(fields, dict):
        raise Invalid("image", text("failure.nofile"))

    def word(name: str, default: str = "") -> str:
        return str(fields.get(name, default))

    known = available_models()
    models = tuple(dict.fromkeys(name for name in word("models").split(",") if name in known))
    example, turn = word("example")[:9], word("turn", "0")
    if not models or not turn.isdecimal() or len(turn) > 15:
        raise Invalid("image", text("failure.nofile"))
    opacity = _number(word("opacity", "0.6"))
    return Request(
        models=models,
        visit=word("visit")[:64],
        turn=int(turn),
        image=files[0][1] if files else None,
        token=word("token"),
        example=int(example)
        if example.isascii() and example.isdigit() and len(example) < 9
        else None,
        pictures=word("pictures", "yes") == "yes",
        check=word("check", "on") != "off",
        choice=parse_choice(fields),
        sign=overlay.AGAINST if word("sign") == overlay.AGAINST else overlay.FOR,
        drawn=frozenset(word("drawn").split(",")),
        opacity=min(1.0, max(0.0, 0.6 if opacity is None else opacity)),
        comment=word("comment"),
    )


def parse_choice(fields: dict) -> Choice:
    """Policy and prevalence of the page's fields: thresholds and prevalences in per cent.

    Raises:
        Invalid: with the sentence for the person.
    """
    policy = str(fields.get("policy", DEFAULT_POLICY))
    prevalence = _percent(fields, "prevalence", in_range)
    if policy in PRESETS:
        return Choice(policy, prevalence=prevalence)
    low, high = (_percent(fields, end, None) for end in ("rule_out", "rule_in"))
    if policy != CUSTOM or low is None or high is None or not 0.0 <= low <= high <= 1.0:
        raise Invalid("policy", text("policy.wrong"))
    return Choice(CUSTOM, (low, high), _percent(fields, "at", in_range), prevalence)


def in_range(prevalence: float) -> bool:
    """Whether it is a prevalence that can be chosen."""
    # The page's numbers were divided by 100.
    return MIN_PREVALENCE - 1e-9 <= prevalence <= MAX_PREVALENCE + 1e-9


def _percent(fields: dict, name: str, valid: Callable[[float], bool] | None) -> float | None:
    """A share from 0 to 1 of a field in per cent, with a point or a comma; None for no words."""
    words = str(fields.get(name) or "").strip()
    if not words:
        return None
    number = _number(words.replace(",", ".").removesuffix("%"))
    if valid is None:
        return None if number is None else number / 100
    if number is None or not valid(number / 100):
        raise Invalid("prevalence", text("prevalence.wrong"))
    return number / 100


def _number(words: Any) -> float | None:
    """A finite number, None where it is none."""
    try:
        number = float(words)
    except (ValueError, TypeError):
        return None
    return number if math.isfinite(number) else None
