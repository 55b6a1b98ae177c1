"""What the page asks of the server: every field checked before anything is done."""

import math
import re
from dataclasses import dataclass

from pneumo.imaging import overlay
from pneumo.models.card import Card
from pneumo.models.checkpoint import available_models
from pneumo.reading.decision import DEFAULT_POLICY, PRESETS, Policy
from pneumo.ui.texts import text

CUSTOM = "custom"
MIN_PREVALENCE, MAX_PREVALENCE = 0.001, 0.999


class Invalid(ValueError):
    """A field ("image", "policy" or "prevalence") that cannot be used; the message says why."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Choice:
    """Policy and prevalence, as chosen; a prevalence of None is the training hospital's."""

    policy: str = DEFAULT_POLICY  # a preset, or "custom"
    thresholds: tuple[float, float] | None = None  # of "custom": rule-out and rule-in
    at: float | None = None  # prevalence at which they were given
    prevalence: float | None = None  # at which probabilities are shown

    def policy_for(self, card: Card) -> Policy:
        """The thresholds on the balanced probability of a network."""
        if self.thresholds is None:
            return card.policies[self.policy].policy
        return Policy.custom(*self.thresholds, prevalence=self.at or card.prevalence)


@dataclass(frozen=True)
class Request:
    """One request of a page: about an image file, one in the store (`token`), or an example."""

    models: tuple[str, ...]  # networks that are asked, one or more
    visit: str = ""  # random name of the page; empty when it may not be overtaken
    turn: int = 0  # number of the request within the visit
    image: bytes | None = None
    token: str = ""
    example: int | None = None
    pictures: bool = True  # or the words alone
    check: bool = True  # False analyzes also what the input check refuses
    choice: Choice = Choice()
    # For the report:
    sign: str = overlay.FOR
    drawn: frozenset[str] = frozenset()  # networks whose heatmap is shown
    opacity: float = 0.6
    comment: str = ""
    kind: str = ""  # "dicom", else the page as PDF and PNG


def parse(data: object) -> Request:
    """A request from what Gradio hands over: a dict, or one with the bytes of an uploaded file;
    `Invalid` when it is nothing the page would send."""
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
        example=int(example) if re.fullmatch("[0-9]{1,8}", example) else None,
        pictures=word("pictures", "yes") == "yes",
        check=word("check", "on") != "off",
        choice=parse_choice(fields),
        sign=overlay.AGAINST if word("sign") == overlay.AGAINST else overlay.FOR,
        drawn=frozenset(word("drawn").split(",")),
        opacity=min(1.0, max(0.0, 0.6 if opacity is None else opacity)),
        comment=word("comment"),
        kind=word("kind"),
    )


def parse_choice(fields: dict) -> Choice:
    """Policy and prevalence of the page's fields: thresholds and prevalences in per cent."""
    policy = str(fields.get("policy", DEFAULT_POLICY))
    prevalence = _prevalence(fields, "prevalence")
    if policy in PRESETS:
        return Choice(policy, prevalence=prevalence)
    low, high = (_percent(fields, end) for end in ("rule_out", "rule_in"))
    if policy != CUSTOM or low is None or high is None or not 0.0 <= low <= high <= 1.0:
        raise Invalid("policy", text("policy.wrong"))
    return Choice(CUSTOM, (low, high), _prevalence(fields, "at"), prevalence)


def in_range(prevalence: float) -> bool:
    """Whether it is a prevalence that can be chosen."""
    # The page's numbers were divided by 100.
    return MIN_PREVALENCE - 1e-9 <= prevalence <= MAX_PREVALENCE + 1e-9


def _prevalence(fields: dict, name: str) -> float | None:
    share = _percent(fields, name)
    if share is None and not str(fields.get(name) or "").strip():
        return None
    if share is None or not in_range(share):
        raise Invalid("prevalence", text("prevalence.wrong"))
    return share


def _percent(fields: dict, name: str) -> float | None:
    """A share from 0 to 1 of a field in per cent, with a point or a comma; None for no number."""
    number = _number(str(fields.get(name) or "").strip().replace(",", ".").removesuffix("%"))
    return None if number is None else number / 100


def _number(words: str) -> float | None:
    """A finite number, None where it is none."""
    try:
        number = float(words)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
