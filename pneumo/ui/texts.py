"""Every sentence of the screen in one catalogue; a translation is one more dictionary like it."""

from __future__ import annotations

import re

ENGLISH: dict[str, str] = {
    # The frame around everything
    "app.name": "Pneumo",
    "app.subtitle": "reads chest radiographs for signs of pneumonia",
    "app.privacy": "Your film goes only to the computer that runs this page. It is read in memory, "
    "kept neither under its name nor on disk, and forgotten after 30 minutes.",
    "app.caveat": "For research and teaching only. No medical device: nothing here may decide "
    "about a patient.",
    "app.caveat.label": "Standing caveat",
    "tab.read": "Read a film",
    "tab.many": "Many films",
    "tab.card": "Model card",
    # Getting a film in
    "drop.title": "Drop a chest radiograph here",
    "drop.detail": "PNG, JPEG, TIFF or DICOM, frontal view. Or drag one of the examples below.",
    "drop.choose": "Choose a film",
    "drop.now": "Let go to read this film",
    "open": "Open film",
    "examples.title": "Examples",
    "examples.empty": "There are no example films in this installation.",
    "examples.synthetic": "Synthetic film, no patient",
    "examples.real": "Real film",
    "examples.own": "Own folder",
    "examples.source": "Source of the real films: {attribution}",
    "examples.truth.NORMAL": "normal",
    "examples.truth.PNEUMONIA": "pneumonia",
    "examples.choose": "Read the example: {title}, {kind}",
    "examples.missing": "This example is no longer there. Please choose another one.",
    # The pictures
    "view.stage": "Film and film with heat",
    "view.film": "Film",
    "view.heat": "Heat of {model}",
    "view.film.none": "No film is open.",
    "view.film.alt": "The radiograph, {width} by {height} pixels, {source}.",
    "view.heat.alt": "The same film with heat by {model}. {words} {where}",
    "view.shrunk": "Shown at {width} by {height} pixels; read at full size.",
    "heat.none.for": "No positive evidence in this film.",
    "heat.none.against": "No evidence against pneumonia in this film.",
    "heat.where.for": "Evidence for pneumonia is strongest in the {place} of the picture and "
    "covers {share} % of it.",
    "heat.where.against": "Evidence against pneumonia is strongest in the {place} of the picture "
    "and covers {share} % of it.",
    "heat.off": "Heat is off.",
    "view.window": "Grey window {low} to {high}",
    "view.zoom": "zoom {zoom}",
    "view.inverted": "inverted",
    "legend.for": "Evidence for pneumonia",
    "legend.against": "Evidence against pneumonia",
    "legend.unit": "Contribution of one cell of the network's map to the log-odds for pneumonia, "
    "on one scale for all films of this network",
    "legend.end.for": "≥ {value}", "legend.end.against": "≤ {value}",
    "legend.contour.for": "Line where the evidence for pneumonia reaches {level}",
    "legend.contour.against": "Line where the evidence for pneumonia falls to {level}",
    # The tools under the pictures
    "tools.title": "Picture tools",
    "tools.open": "Open film", "tools.tool": "Move", "tools.invert": "Invert",
    "tools.reset": "Reset", "tools.heat": "Heat", "tools.style": "Contour",
    "tools.sign": "Against", "tools.opacity": "Opacity", "tools.full": "Full screen",
    "tools.help": "Keys ?",
    "help.title": "Keys and mouse", "help.close": "Close",
    "help.keys": "Single keys are on",
    "key.open": "Open a film", "key.heat": "Heat on or off",
    "key.style": "Heat as colours or as a contour line",
    "key.sign": "Evidence for or against pneumonia",
    "key.fainter": "Fainter heat", "key.stronger": "Stronger heat", "key.invert": "Invert the film",
    "key.darker": "Darker", "key.brighter": "Brighter", "key.more": "More contrast",
    "key.less": "Less contrast", "key.tool": "Dragging moves the film, or changes its window",
    "key.nearer": "Zoom in", "key.farther": "Zoom out", "key.left": "Move left",
    "key.right": "Move right", "key.up": "Move up", "key.down": "Move down",
    "key.reset": "Whole film, full grey window", "key.full": "Full screen",
    "key.model": "Next model", "key.help": "This list",
    "mouse.drag": "Drag", "mouse.drag.does": "Sideways contrast, upwards brightness",
    "mouse.shift": "Right or Shift drag", "mouse.shift.does": "Move the film",
    "mouse.wheel": "Wheel, pinch", "mouse.wheel.does": "Zoom",
    "mouse.double": "Double click", "mouse.double.does": "Whole film, full grey window",
    "place.upper": "upper", "place.middle": "middle", "place.lower": "lower",
    "place.left": "left", "place.centre": "centre", "place.right": "right",
    # The answer
    "answer.none": "The answer will stand here.",
    "answer.busy": "Reading the film ...",
    "answer.PNEUMONIA": "Pneumonia pattern likely",
    "answer.UNCERTAIN": "Uncertain",
    "answer.NORMAL": "Pneumonia pattern unlikely",
    "answer.PNEUMONIA.say": "This looks like pneumonia.",
    "answer.UNCERTAIN.say": "This could be either.",
    "answer.NORMAL.say": "This does not look like pneumonia.",
    "answer.probability": "Probability of pneumonia",
    "answer.confidence": "Confidence in this label",
    "answer.model": "Model",
    "answer.threshold": "Threshold",
    "answer.threshold.at": "{value}, {point}",
    "answer.band": "Uncertain band",
    "answer.sensitivity": "Sensitivity, {split}",
    "answer.specificity": "Specificity, {split}",
    "answer.predictive": "Predictive value if positive · if negative",
    "answer.like": "Of 100 children with a score like this, {count} have pneumonia, where "
    "{prevalence} of 100 films show it.",
    "answer.agree": "The models agree.",
    "answer.disagree": "The models disagree: look twice.",
    "rate.interval": "{value} ({low} to {high})",
    "split.test": "test", "split.validation": "validation",
    "answer.error": "This film was not read",
    "answer.source": "Read as",
    "answer.seconds": "Time",
    "answer.checks": "Please note",
    # Choosing
    "model.title": "Model",
    "model.none": "No trained network was found. Put the release's checkpoints folder beside "
    "app.py, or train one with train.py, and start the app again.",
    "model.broken": "{title} cannot be used: {reason}",
    "model.both": "Both", "model.all": "All",
    "model.all.hint": "All models side by side",
    "point.title": "Operating point",
    "point.balanced": "Balanced: misses and false alarms about equally often",
    "point.high_sensitivity": "High sensitivity: few pneumonias are missed",
    "point.high_specificity": "High specificity: few false alarms",
    "point.own": "Own threshold",
    "point.balanced.short": "Balanced", "point.high_sensitivity.short": "Sensitive",
    "point.high_specificity.short": "Specific", "point.own.short": "Own",
    "prevalence.title": "Of 100 such films here, pneumonia in",
    "prevalence.hint": "The share of films with pneumonia on your own ward; it decides the "
    "predictive values and not the reading",
    # What can go wrong outside the film
    "error.offline": "The app did not answer. Please check that it still runs, and drop the film "
    "again.",
    "error.large": "This file has more than {limit} MB, the largest size that is read. Please "
    "export the film smaller.",
    "error.server": "Something went wrong inside the app while this film was read. Please try "
    "again, and report it if it happens once more.",
    "error.nofile": "No file arrived. Please drop one film file.",
    "error.folder": "This is a folder. Please drop one film file.",
    "error.display": "Your browser could not show this film. Please try another browser.",
}


def text(key: str, **values: object) -> str:
    """The sentence of a key with its places filled.

    Args:
        key: one of the catalogue's.
        **values: for the places written in braces.

    Raises:
        KeyError: for an unknown key or a place without value.
    """
    return ENGLISH[key].format(**values)


def filled(template: str) -> str:
    """A template of markup with every [[key]] replaced by its sentence, escaped for html."""
    from html import escape

    return re.sub(r"\[\[([\w.]+)\]\]", lambda match: escape(ENGLISH[match.group(1)]), template)
