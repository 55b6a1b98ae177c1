"""The checks of a radiograph: their names, codes and sentences."""

from dataclasses import dataclass, field

# Code -> sentence. A code begins with the name of its check; translations have it as a key.
SENTENCES = {
    "chest.ok": "This looks like a frontal chest radiograph.",
    "chest.not_frontal": "This does not look like a frontal chest radiograph, so it was not "
    "analyzed. Please choose a frontal chest radiograph.",
    "chest.lateral": "The file declares a lateral view, so it was not analyzed. Please choose the "
    "frontal radiograph.",
    "upright.ok": "Upright.",
    "upright.turned_90": "The image appears turned by 90° clockwise. Turn it upright and analyze "
    "it again: this result is not reliable.",
    "upright.turned_180": "The image appears upside down. Turn it upright and analyze it again: "
    "this result is not reliable.",
    "upright.turned_270": "The image appears turned by 90° counterclockwise. Turn it upright and "
    "analyze it again: this result is not reliable.",
    "upright.mirrored": "The image appears mirrored left to right: check the side marker. Left and "
    "right may be exchanged.",
    "whole.ok": "The whole chest is in the image.",
    "whole.cropped": "Part of the chest seems to be outside the image.",
    "population.ok": "Like the radiographs of children that the model was trained on.",
    "population.adult": "This looks like an adult. The model was trained and tested on children, "
    "so its measured accuracy does not hold here.",
    "contrast.ok": "Adequate contrast.",
    "contrast.low": "Low contrast: fine opacities may be invisible.",
    "contrast.blank": "The image is almost a single grey, so there is nothing to analyze.",
    "size.ok": "{width} x {height} pixels.",
    "size.small": "Only {width} x {height} pixels: fine opacities may be invisible.",
    "size.tiny": "Only {width} x {height} pixels, too few to analyze. Please export the image "
    "larger.",
    "shape.ok": "Usual shape.",
    "shape.long": "Unusually long ({width} x {height} pixels): the image is squeezed to a square.",
    "text.ok": "No burned-in text beyond side markers.",
    "text.burned_in": "Burned-in annotation: check for patient data.",
    "input_check.off": "The input check is off: whether this is a frontal chest radiograph was not "
    "checked.",
    "input_check.overridden": "The input check refused this image. It was analyzed on request: do "
    "not rely on the result.",
}
FAILED = {"chest.not_frontal", "chest.lateral", "contrast.blank", "size.tiny"}


@dataclass(frozen=True)
class Check:
    """One named check of a radiograph."""

    name: str  # such as "chest"; the first part of the code
    outcome: str  # "passed", "warned", or "failed": the image must then not be analyzed
    detail: str  # the sentence
    code: str = ""  # key of SENTENCES, or "file." and a key of pneumo.imaging.messages.NOTES
    values: dict[str, int] = field(default_factory=dict)  # what stands in the sentence's braces


def check(code: str, **values: int) -> Check:
    """The check of a code of `SENTENCES`."""
    name, _, found = code.partition(".")
    outcome = "passed" if found == "ok" else "failed" if code in FAILED else "warned"
    return Check(name, outcome, SENTENCES[code].format(**values), code, values)
