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
    "drop.detail": "PNG, JPEG, TIFF or DICOM, frontal view. Or take one of the examples below.",
    "drop.choose": "Choose a film",
    "drop.now": "Let go to read this film",
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
    "view.heat.no_side": "Heat of {model}: does not tell which lung is affected",
    "view.heat.no_side.short": "Heat (no side): {model}",
    "view.film.alt": "The radiograph, {width} by {height} pixels, {source}.",
    "view.heat.alt": "The same film with heat by {model}. {words} {where}",
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
    "key.model": "Next model", "key.point": "Next operating point", "key.help": "This list",
    "mouse.drag": "Drag", "mouse.drag.does": "Sideways contrast, upwards brightness",
    "mouse.shift": "Right or Shift drag", "mouse.shift.does": "Move the film",
    "mouse.wheel": "Wheel", "mouse.wheel.does": "Zoom",
    "mouse.double": "Double click", "mouse.double.does": "Whole film, full grey window",
    "mouse.finger": "One finger", "mouse.finger.does": "Move an enlarged film",
    "mouse.pinch": "Two fingers", "mouse.pinch.does": "Zoom and move",
    "mouse.tab": "Tab", "mouse.tab.does": "Next control; arrows choose within a group",
    "place.upper": "upper", "place.middle": "middle", "place.lower": "lower",
    "place.left": "left", "place.centre": "centre", "place.right": "right",
    # The answer
    "answer.none": "The answer will stand here.",
    "answer.busy": "Reading the film ...",
    "answer.PNEUMONIA": "Pneumonia pattern likely",
    "answer.UNCERTAIN": "Pneumonia pattern uncertain",
    "answer.NORMAL": "Pneumonia pattern unlikely",
    "answer.PNEUMONIA.say": "This looks like pneumonia.",
    "answer.UNCERTAIN.say": "This could be either.",
    "answer.NORMAL.say": "This does not look like pneumonia.",
    "answer.probability": "Probability of pneumonia",
    "answer.confidence": "Confidence in this label",
    "answer.confidence.likelier": "Confidence, likelier label",
    "answer.model": "Model",
    "answer.threshold": "Threshold",
    "answer.threshold.at": "{value}, {point}",
    "answer.band": "Uncertain band",
    "answer.band.at": "{low} to {high}",
    "answer.sensitivity": "Sensitivity, {split}",
    "answer.specificity": "Specificity, {split}",
    "answer.predictive": "PPV · NPV",
    "answer.predictive.long": "Predictive value of a positive and of a negative label",
    "answer.force": "Read it all the same",
    "answer.like": "Of 100 {split} films with a score like this, {count} have pneumonia, where "
    "{prevalence} of 100 films show it.",
    "answer.like.rests": "Measured on {films} films with a score of {low} to {high}.",
    "answer.unsure": "No model is certain.",
    "answer.agree": "The models agree.",
    "answer.disagree": "The models disagree: look twice.",
    "rate.interval": "{value} ({low} to {high})",
    "split.test": "test", "split.validation": "validation",
    "answer.error": "This film was not read",
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
    # The report
    "tools.report": "Report", "key.report": "Report of this reading",
    "report.title": "Pneumo: reading of a chest radiograph",
    "report.dialog": "Report of this reading",
    "report.comment": "Comment of the reader",
    "report.comment.hint": "Printed as it is. Nothing about the patient is printed unless you "
    "type it here.",
    "report.pdf": "Save PDF", "report.png": "Save PNG", "report.busy": "Drawing the page ...",
    "report.predictive": "PPV · NPV, {share} of 100 ill",
    "report.checks": "Checks", "report.checks.none": "Nothing to note.",
    "report.weights": "{model}, weights sha256 {sha256}", "report.source": "Film read as {source}",
    "report.forgotten": "This film is no longer in memory. Please open it again.",
    # Many films
    "many.title": "Many films",
    "many.drop": "Drop up to {most} films, a folder or a zip here",
    "many.choose": "Choose films", "many.stop": "Stop", "many.clear": "Clear",
    "many.csv": "Save table (CSV)", "many.summary": "Save summary (HTML)",
    "many.progress": "{done} of {total} done, about {left} left",
    "many.progress.first": "{done} of {total} done",
    "many.done": "{done} of {total} done in {time}",
    "many.stopped": "Stopped after {done} of {total}",
    "many.counts": "Pneumonia pattern likely {PNEUMONIA}, uncertain {UNCERTAIN}, unlikely "
    "{NORMAL}, not read {unread}",
    "many.nothing": "There is no film in what arrived here.",
    "many.too": "Only the first {most} films were taken.",
    "many.zip": "This zip cannot be opened: {reason}",
    "many.zip.broken": "it is damaged or no zip.",
    "many.zip.locked": "it is locked with a password.",
    "many.zip.large": "its files are too large when unpacked.",
    "many.seconds": "{count} s", "many.minutes": "{count} min",
    "many.hint": "File names stay in your browser; only the films travel, one by one.",
    "many.open": "Open {name} in the viewer",
    "many.column.picture": "Film", "many.column.name": "File", "many.column.status": "Status",
    "many.column.probability": "Probability", "many.column.label": "Label",
    "many.column.notes": "Please note",
    "many.status.ok": "read", "many.status.refused": "refused", "many.status.error": "not read",
    "many.status.waiting": "waiting", "many.table": "Films and their readings",
    "many.sort": "Sort by {column}", "many.progressbar": "Progress",
    # The model card
    "card.title": "What this is for",
    "card.intended": "Pneumo is made for research and teaching: to see what networks trained on a "
    "public set of children's chest radiographs say about a film, how sure they are, and where "
    "they look. It is no medical device and has never been tested in care.",
    "card.corruptions": "Spoiled films", "card.corruption": "Films",
    "card.corruptions.how": "The {count} validation films, each spoiled in the same way, at the "
    "balanced operating point.",
    "card.uncertain": "When the answer is UNCERTAIN",
    "card.uncertain.how": "A probability from {low} to {high} is called uncertain. Covered is a "
    "film whose label is right or uncertain.",
    "card.uncertain.share": "Uncertain", "card.uncertain.certain_accuracy": "Certain and right",
    "card.uncertain.coverage_normal": "Normal films covered",
    "card.uncertain.coverage_pneumonia": "Pneumonia films covered",
    "card.lungs": "Evidence in the lungs",
    "card.lungs.how": "On validation films with drawn lungs: where the heat of rightly called "
    "pneumonias lies, and whether the answer needs the lungs (without them 0.5 is chance). The "
    "same films chose among recipes.",
    "card.lungs.heat_in_lungs": "Heat in the lungs", "card.lungs.peak_in_lung": "Peak in a lung",
    "card.lungs.auc_only_lungs": "AUC, only the lungs shown",
    "card.lungs.auc_without_lungs": "AUC, lungs painted over",
    "card.shortcut": "Does it read sharpness instead?",
    "card.shortcut.how": "Normal films of the training set are sharper. Among validation films of "
    "equal sharpness that gives less away. Compressed to {size} bytes per pixel, specificity goes "
    "from {before} to {after}.",
    "card.shortcut.alone": "AUC of sharpness alone",
    "card.adults": "Adults of another hospital", "card.adults.view": "View",
    "card.adults.how": "{source}. Their labels were read from reports by a program and are often "
    "wrong. {trained_on} films of other patients of that hospital were trained on; how many was "
    "decided in sight of earlier results on these.",
    "card.refusals": "What the guard refuses", "card.kind": "Kind of picture",
    "card.change": "Change", "card.guard.n": "Count", "card.guard.refused": "Refused",
    "card.guard.warned": "Read with a warning", "card.guard.read": "Read",
    "card.refusals.how": "Pictures the guard was not fitted on. AUROC of chest against not chest: "
    "{auroc}.",
    "card.limits": "Limits",
    "card.limit.children": "The networks learned, but for a few films of adults, from children of "
    "one to five years of one hospital. On adults, newborns, lateral films or other projections "
    "their answers mean little.",
    "card.limit.source": "Films of other hospitals, devices and exposures differ; expect lower "
    "accuracy than the tables say.",
    "card.limit.score": "The probability holds where half of the films show pneumonia. On your "
    "ward it is another: set the prevalence beside the answer.",
    "card.limit.heat": "Heat shows what moved the network's score. It is coarse, no outline of "
    "disease, need not tell the side, and a convincing place does not make the answer right.",
    "card.limit.other": "Only pneumonia is asked. Effusion, pneumothorax, tumours, fractures and "
    "tubes are not looked for and may mislead the score.",
    "card.limit.device": "A person must read every film; an answer here is no reason to treat or "
    "not to treat.",
    "card.results": "Results",
    "card.results.how": "In brackets: 95 % intervals. Thresholds were fixed on validation films of "
    "patients who are not in the training set; the test films chose none. Brier score and "
    "calibration error are better when smaller.",
    "card.results.knew": " Ideas for the weights that were taken or left when a test score of "
    "theirs was known: {count}.",
    "card.network": "Network", "card.films": "Films", "card.count": "Count",
    "card.auc": "AUC", "card.accuracy": "Accuracy", "card.sensitivity": "Sensitivity",
    "card.specificity": "Specificity", "card.brier": "Brier score", "card.ece": "Calibration error",
    "card.roc": "Sensitivity and specificity at every threshold, on {on}. Dots: operating points.",
    "card.roc.alt": "Receiver operating characteristic of {title}",
    "card.roc.x": "1 − specificity", "card.roc.y": "sensitivity",
    "card.calibration": "How often films had pneumonia (up) at each probability given (right), on "
    "the test films. On the line the two agree; larger dots are more films.",
    "card.calibration.alt": "Calibration of {title}",
    "card.calibration.x": "probability", "card.calibration.y": "frequency",
    "card.confusion": "Confusion on the test films",
    "card.called.ill": "called pneumonia", "card.called.well": "called normal",
    "card.is.ill": "has pneumonia", "card.is.well": "is normal",
    "card.test.none": "The official test films have not been scored with these weights.",
    "card.parameters": "Parameters", "card.data": "Data", "card.data.training": "Trained on",
    "card.data.validation": "Validated on", "card.side": "{films} films of {patients} patients",
    "card.training.init_sentence": "Started from", "card.training.imbalance": "Class balance",
    "card.training.lung_masks": "Lung outlines used", "card.training.selection": "Weights chosen",
    "card.training.command": "Command", "card.training.finished": "Finished",
    "card.training.commit": "Commit",
    "card.weights": "Weights, sha256",
    # For programs
    "api.film": "Film",
    "api.model": "Model", "api.model.info": "Name of a network, as /models gives it",
    "api.threshold": "Threshold",
    "api.threshold.info": "Own threshold, 0 to 1; empty for the balanced operating point",
    "api.heat": "Heat", "api.heat.info": "Add the signed evidence as rows of numbers",
    "api.guard": "Guard", "api.guard.info": "Refuse what is no frontal chest radiograph",
    "api.reading": "Reading", "api.models": "Models",
    "api.unknown": "There is no model called '{name}'. Available: {names}.",
    "api.threshold.wrong": "The threshold must be a number from 0 to 1.",
    # What can go wrong outside the film
    "error.offline": "The app did not answer. Please check that it still runs, and drop the film "
    "again.",
    "error.large": "This file has more than {limit} MB, the largest size that is read. Please "
    "export the film smaller.",
    "error.server": "Something went wrong inside the app while this film was read. Please try "
    "again, and report it if it happens once more.",
    "error.nofile": "No file arrived. Please drop one film file.",
    "error.display": "Your browser could not show this film. Please try another browser.",
    # What the gate says to requests that do not come through
    "gate.400": "This request could not be understood. What can be asked is described at "
    "/gradio_api/info.",
    "gate.403": "This request was sent by the page of another site, which is not answered.",
    "gate.404": "There is nothing at this address.",
    "gate.408": "The request took too long to arrive. Please try again.",
    "gate.413": "This request is too large. A film may have up to {limit} MB.",
    "gate.421": "The app does not know itself by this name. Please open it as localhost or "
    "127.0.0.1 with its port, or name the host in PNEUMO_HOSTS before it is started.",
    "gate.500": "Something went wrong inside the app. Please try again, and report it if it "
    "happens once more.",
    "gate.503": "Too many films are being read at this moment. Please try again in a minute.",
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
