"""The checks of a radiograph: their names, codes and sentences."""

from dataclasses import dataclass, field

from pneumo.files import sentences

# Code -> sentence. A code begins with the name of its check.
SENTENCES = sentences("check.")
FAILED = {"chest.not_frontal", "chest.lateral", "contrast.blank", "size.tiny"}


@dataclass(frozen=True)
class Check:
    """One named check of a radiograph."""

    name: str  # such as "chest"; the first part of the code
    outcome: str  # "passed", "warned", or "failed": the image must then not be analyzed
    detail: str  # the sentence
    code: str = ""  # key of SENTENCES
    values: dict[str, int] = field(default_factory=dict)  # what stands in the sentence's braces


def check(code: str, **values: int) -> Check:
    """The check of a code of `SENTENCES`."""
    name, _, found = code.partition(".")
    outcome = "passed" if found == "ok" else "failed" if code in FAILED else "warned"
    return Check(name, outcome, SENTENCES[code].format(**values), code, values)
